/**
 * The front's events as sentences. What clients can cause by the thousand (failed handshakes, a full house, a backend
 * that is down) is said once a minute with its count, so that a flood of connections is not a flood of lines.
 */
import type { PeerRefused, PeerWarned, TerminatorEvent } from '../../serve/terminator/index.ts'
import type { Line } from '../journal/journal.ts'

/** Turns one event into one line, or into nothing when as much was said a moment ago. */
export type NarrateFront = (event: TerminatorEvent) => Line | undefined

/** Creates a narrator with an empty memory. */
export function createFrontNarrator(): NarrateFront {
  const said = new Map<string, { at: number; unsaid: number }>()

  function seldom(event: TerminatorEvent, what: string, level: Line['level'], text: string): Line | undefined {
    const at = event.at.getTime()
    const before = said.get(what)
    if (before && Math.abs(at - before.at) < quietMs) {
      before.unsaid += 1
      return undefined
    }
    const more = before && before.unsaid > 0 ? ` (and ${before.unsaid} more since it was last said)` : ''
    if (said.size >= mostRemembered) said.clear()
    said.set(what, { at, unsaid: 0 })
    return { level, subject: 'front', text: `${text}${more}`, fields: { event: event.type, what } }
  }

  return (event) => {
    switch (event.type) {
      case 'connection-refused': {
        return seldom(
          event,
          event.reason,
          'warn',
          `connections are closed unread${event.remoteAddress ? `, now from ${event.remoteAddress}` : ''}: ${closings[event.reason]}${event.found ? `: ${event.found}` : ''}`,
        )
      }
      case 'handshake-failed':
        return {
          level: 'debug',
          subject: 'front',
          text: `handshake with ${event.remoteAddress ?? 'a client'} failed: ${event.message} (${event.code})`,
        }
      case 'handshake-refused':
        // Not once for each name: a client can ask for as many as it likes.
        return seldom(
          event,
          event.reason,
          'warn',
          `handshakes are refused${event.serverName ? `, now for ${quote(event.serverName)}` : ''}: ${refusals[event.reason]}${event.cause ? ` (${event.cause})` : ''}`,
        )
      case 'peer-refused':
        return seldom(event, `peer ${event.reason}`, 'warn', `clients are refused (ocsp_peer)${describePeer(event)}`)
      case 'peer-warned':
        return seldom(
          event,
          `let in ${event.reason}`,
          'warn',
          `clients are let in by a switch of ocsp_peer${describePeer(event)}`,
        )
      case 'peers-closed': {
        const { connections, message = event.reason } = event
        const what = connections === 1 ? 'its open connection was cut' : `its ${connections} open connections were cut`
        return {
          level: 'warn',
          subject: 'front',
          text: `${quote(event.subject)}: ${message}\n${what} (ocsp_peer { recheck })`,
          fields: { event: event.type, reason: event.reason, connections },
        }
      }
      case 'certificate-refused':
        return {
          level: 'error',
          subject: event.site,
          text: `new handshakes on this certificate are refused: ${refusals[event.reason]}`,
          fields: { event: event.type },
        }
      case 'certificate-restored':
        return {
          level: 'notice',
          subject: event.site,
          text: 'the certificate is shown again',
          fields: { event: event.type },
        }
      case 'backend-failed':
        return seldom(event, `backend ${event.backend}`, 'error', `${event.error.message}: its clients are closed`)
      case 'backend-left-out':
        return {
          level: 'warn',
          subject: 'front',
          text: `${event.error.message}: it is left out for a while, its clients go to the others`,
          fields: { event: event.type },
        }
      case 'backend-returned':
        return {
          level: 'notice',
          subject: 'front',
          text: `backend ${event.backend} is back`,
          fields: { event: event.type },
        }
      case 'listener-failed':
        return seldom(event, `listener ${event.code}`, 'error', `${event.address}: ${event.message} (${event.code})`)
      case 'drained': {
        const cut = event.destroyed > 0 ? `; ${event.destroyed} did not end in time and were cut` : ''
        return {
          level: 'info',
          subject: 'front',
          text: `the last connection is gone${cut}`,
          fields: { event: event.type },
        }
      }
      case 'stop':
        // The daemon acts on it and says so.
        return undefined
    }
  }
}

const quietMs = 60_000
const mostRemembered = 1_000

/** What a client calls a host, which need not look like one. */
function quote(serverName: string): string {
  return JSON.stringify(serverName.slice(0, 253))
}

/** Which one, and why. The message names the certificate that it is about, which may be one above the client's. */
function describePeer({ subject, reason, message = reason, remoteAddress }: PeerRefused | PeerWarned): string {
  return `, now ${quote(subject)}${remoteAddress ? ` from ${remoteAddress}` : ''}: ${message}`
}

const closings = {
  'too-many-connections': 'max_connections is reached',
  'too-many-handshakes': 'the limit of handshakes at once is reached',
  'too-fast': 'connection_rate_limit is reached',
  'no-proxy-header': 'accept_proxy_protocol wants a PROXY header first',
  'unexpected-proxy-header': 'a PROXY header from outside the networks of accept_proxy_protocol',
  silent: 'nothing came in the time of a handshake',
} as const

const refusals = {
  revoked: 'it is revoked (on_revoked: stop-site)',
  'no-staple': 'it has no staple (on_stale: refuse)',
  'unknown-sni': 'no site has the name (unknown_sni: refuse)',
  'client-certificate': 'the client has no certificate that convinces (verify)',
  'pinned-certs': "the client's key is not among pinned_certs",
  'tls-version': 'the TLS version is below min_version',
} as const
