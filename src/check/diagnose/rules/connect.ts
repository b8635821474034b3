/** Connections that did not come to a certificate: all of them, or some. What a server does not offer is no failure. */
import { errorTable, type PlainDetail } from '../../../errors.ts'
import type { ConnectionRecord, ProbeRecord } from '../../probe/record.ts'
import type { Evidence } from '../evidence.ts'
import type { Finding, FindingRule, Remedy } from '../finding.ts'
import { cacheLines } from '../remedies/apache.ts'
import { connectionText, countOf, sentence, shareOf } from '../words.ts'

export const connect: FindingRule = {
  codes: {
    'could-not-connect': 'no connection came as far as a certificate, so nothing could be learned',
    'some-connections-failed': 'some connections failed; what is said of the staple rests on the others',
    'address-without-route': 'this machine has no way to some address of the name, as IPv6 without a connection to it',
  },
  find: (evidence) => {
    const { record } = evidence
    const failed = failuresOf(record)
    if (!record.connections.some(isShown)) return [nothingLearned(record)]
    const unrouted = failed.filter(isUnrouted)
    const others = failed.filter((connection) => !isUnrouted(connection))
    return [
      ...(others.length === 0 ? [] : [someFailed(evidence, others)]),
      ...(unrouted.length === 0 ? [] : [withoutRoute(unrouted)]),
    ]
  },
}

function nothingLearned(record: ProbeRecord): Finding {
  const { failure, connections } = record
  const error = failure ?? connections.find((connection) => connection.failure !== undefined)?.failure
  const what = error === undefined ? 'no certificate was shown' : errorTable[error.code].summary
  return {
    code: 'could-not-connect',
    severity: 'unknown',
    title: `nothing could be learned: ${what}`,
    meaning:
      'No handshake came as far as a certificate, so nothing is known of its staple. It may be this side of the network, too.',
    evidence: failureLines(failure === undefined ? connections : [], failure?.message),
    remedies: remediesOf(error, isRefused(connections)),
  }
}

function someFailed({ record }: Evidence, failed: readonly ConnectionRecord[]): Finding {
  const addresses = new Set(failed.map(({ address }) => address))
  const others = record.connections.filter((connection) => isShown(connection) && !addresses.has(connection.address))
  const where =
    others.length > 0
      ? `${[...addresses].join(', ')}, not ${[...new Set(others.map(({ address }) => address))].join(', ')}`
      : [...addresses].join(', ')
  return {
    code: 'some-connections-failed',
    severity: 'warning',
    title: `${shareOf(failed.length, record.connections.length)} failed: ${where}`,
    meaning:
      'Clients that come to these addresses, or at such a moment, do not get in; what is said of the staple rests on the other connections.',
    evidence: failureLines(failed),
    remedies: remediesOf(failed[0]?.failure, isRefused(failed)),
  }
}

/** Many names have IPv6 addresses, and many machines no IPv6: nothing is wrong with the server. */
function withoutRoute(unrouted: readonly ConnectionRecord[]): Finding {
  const addresses = [...new Set(unrouted.map(({ address }) => address))]
  return {
    code: 'address-without-route',
    severity: 'info',
    title: `not looked at: ${addresses.join(', ')}, to which this machine has no route`,
    meaning: 'What is said rests on the other addresses. Clients elsewhere may come to these, too.',
    evidence: failureLines(unrouted),
    remedies: [{ text: 'To see these, too, run the check on a machine that has a way to them.' }],
  }
}

/** It never left this machine. */
function isUnrouted({ failure }: ConnectionRecord): boolean {
  const { networkCode } = (failure?.detail ?? {}) as PlainDetail
  return failure?.code === 'ERR_PROBE_CONNECT' && routeCodes.has(String(networkCode))
}

const routeCodes: ReadonlySet<string> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** Leaves out what the server does not offer: a TLS version or kind of key that never came to a certificate there. */
function failuresOf({ connections }: ProbeRecord): ConnectionRecord[] {
  return connections.filter((connection) => {
    if (isShown(connection)) return false
    if (connection.failure?.code !== 'ERR_PROBE_HANDSHAKE') return true
    // The next connection went on without ALPN.
    if (/NO_APPLICATION_PROTOCOL$/.test(String((connection.failure.detail as PlainDetail).tlsCode))) return false
    const shown = connections.filter((other) => other.address === connection.address && isShown(other))
    if (shown.length === 0) return true
    return shown.some(
      ({ handshake }) =>
        handshake?.version === connection.offered.version &&
        connection.offered.keyFamilies.some((family) => family === handshake.keyFamily),
    )
  })
}

function isShown({ handshake }: ConnectionRecord): boolean {
  return handshake !== undefined && handshake.chain.length > 0
}

function failureLines(connections: readonly ConnectionRecord[], first?: string): string[] {
  const lines = connections
    .slice(0, 6)
    .map((connection) => `${connectionText(connection)}: ${connection.failure?.code}: ${connection.failure?.message}`)
  const rest = connections.length - lines.length
  return [...(first === undefined ? [] : [first]), ...lines, ...(rest > 0 ? [countOf(rest, 'more', 'more')] : [])]
}

/** Nobody listens there: what should have may have ended at its start. */
function isRefused(connections: readonly ConnectionRecord[]): boolean {
  return connections.some(({ failure }) => (failure?.detail as PlainDetail | undefined)?.networkCode === 'ECONNREFUSED')
}

/** Where the server was heard to begin in clear, that is what to do about it. */
function beginInClear({ code, detail }: NonNullable<ConnectionRecord['failure']>): string {
  const option = /; try (--starttls \w+)/.exec(String((detail as PlainDetail).found))?.[1]
  return option === undefined ? errorTable[code].remedy : `it begins in clear: give the check \`${option}\``
}

function remediesOf(failure: ConnectionRecord['failure'], wasRefused: boolean): Remedy[] {
  const general: Remedy[] = failure === undefined ? [] : [{ text: sentence(beginInClear(failure)) }]
  if (!wasRefused) return general
  return [
    ...general,
    {
      server: 'apache',
      kind: 'configuration',
      text: 'If it is Apache and ended at its start with AH01958 "no stapling cache available": SSLUseStapling needs a cache, and its line belongs outside of every <VirtualHost> (with mod_socache_shmcb loaded). Then start it again.',
      lines: cacheLines,
    },
    {
      server: 'nats-server',
      kind: 'configuration',
      text: 'If it is nats-server and its log says that it could not get a staple: it does not start without one in mode always or for a Must-Staple certificate. With a store_dir it resumes from disk.',
      lines: ['store_dir: "/var/lib/nats"'],
    },
  ]
}
