/**
 * The TLS side of a terminator: takes raw connections, gives back secured ones with their site, stapled.
 *
 * The tls.Servers behind it (tls-servers.ts) do not listen. In the ordinary case there is a single one, which gets its
 * connections directly. A peek at the ClientHello stands before them only while something needs it: several servers,
 * `unknown_sni: refuse`, or a certificate that policy refuses to show.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { ClientHello } from '../attach/client-hello.ts'
import { chooseKeyFamily, type KeyUse } from '../attach/key-choice.ts'
import { createPeek } from '../attach/peek.ts'
import { judgeHandshake, type RefusalReason } from '../attach/policy.ts'
import { closeWithAlert } from './alert.ts'
import { isPinned } from './client-auth.ts'
import type { ContextSet } from './context-shelf.ts'
import type { HandshakeRefused } from './events.ts'
import type { Counts } from './load.ts'
import type { StapleSource } from './options.ts'
import { certificateOf, type Site, type SiteCertificate, type SiteTable } from './site.ts'
import { createTlsServers, type ServerClass, type StatusCallback } from './tls-servers.ts'

export interface FrontOptions {
  readonly table: SiteTable
  readonly keeper: StapleSource
  readonly clock: Clock
  readonly alpn: readonly string[]
  readonly handshakeTimeoutMs: number
  readonly unknownSni: 'default' | 'refuse'
  readonly ticketKeys: Buffer
  readonly contexts: ContextSet
  /** Counts on, over all generations of the front. */
  readonly tally: Pick<Counts, 'secured' | 'stapled' | 'unstapled'>
  /** The handshake is done and the site may be shown; nothing has been read yet. */
  secured(client: TLSSocket, site: Site): void
  failed(error: Error & { code?: string }, socket: Socket): void
  refused(reason: HandshakeRefused['reason'], client: Socket, about: Refused): void
  /** A handshake met a certificate that policy refuses at this moment, and nobody had told the front. */
  refusalDue(certificate: SiteCertificate): void
}

export interface Front {
  /** Takes a connection that nobody has read from. */
  accept(raw: Socket): void
  /** Refuses every handshake on a certificate from now on, or (undefined) shows it again. */
  refuse(certificate: SiteCertificate, reason: RefusalReason | undefined): void
  /** From now on only sessions sealed with these are resumed. */
  setTicketKeys(keys: Buffer): void
  close(): void
}

/** What is known of a handshake that is refused. */
export interface Refused {
  readonly serverName?: string | undefined
  /** What is wrong with the client's certificate. */
  readonly cause?: string | undefined
}

/** Creates the front. Throws what OpenSSL says when a key does not fit its certificate. */
export function createFront(options: FrontOptions): Front {
  const { table, keeper, clock, handshakeTimeoutMs, unknownSni, tally, secured, failed, refused, refusalDue } = options
  const certificates = table.sites.flatMap((site) => site.certificates)
  const isNaming = table.sites.length > 1
  // Set while the SNI callback runs, in which Node emits 'OCSPRequest': the same certificate may belong to two sites.
  let namedSite: Site | undefined

  const servers = createTlsServers({
    ...options,
    isNaming,
    isStapling: certificates.some(({ isStapled }) => isStapled),
    naming(site, callback) {
      namedSite = site
      callback()
      namedSite = undefined
    },
    answerStatus,
    admit,
    failed: reportFailure,
  })
  const peek = createPeek({ clock, timeoutMs: handshakeTimeoutMs, passOn, timedOut, brokenOff })
  let isPeeking = mustPeek()

  function mustPeek(): boolean {
    return (
      servers.only === undefined || unknownSni === 'refuse' || certificates.some(({ refusal }) => refusal !== undefined)
    )
  }

  /** The one 'OCSPRequest' listener. It must not throw: on Node 20 and 22 that would end the process. */
  function answerStatus(der: Buffer | null, _issuer: Buffer | null, callback: StatusCallback): void {
    let staple: Buffer | null = null
    let refusal: Refusal | null = null
    try {
      const certificate = der === null ? undefined : findShown(der)
      if (certificate?.isStapled) {
        const verdict = judgeHandshake(keeper.servable(certificate.certificateKey), certificate.site.policies)
        if (verdict.kind === 'staple') staple = verdict.staple as Buffer
        else if (verdict.kind === 'refuse') {
          refusal = createRefusal(certificate, verdict.reason)
          refusalDue(certificate)
        }
      }
    } catch {
      // Without a judgement there is no staple; the keeper's own failures are its events.
      staple = null
    }
    if (staple === null) tally.unstapled++
    else tally.stapled++
    callback(refusal, staple)
  }

  function findShown(der: Buffer): SiteCertificate | undefined {
    const shown = table.findCertificates(der)
    if (shown.length < 2) return shown[0]
    const site = namedSite ?? table.default
    return shown.find((certificate) => certificate.site === site) ?? shown[0]
  }

  function admit(serverClass: ServerClass, client: TLSSocket): void {
    const site = isNaming || unknownSni === 'refuse' ? table.find(client.servername) : table.default
    const reason =
      site === undefined && unknownSni === 'refuse'
        ? 'unknown-sni'
        : objection(serverClass, client, site ?? table.default)
    if (reason !== undefined) {
      client.on('error', ignore)
      client.destroy()
      refused(reason, client, { serverName: client.servername || undefined })
      return
    }
    tally.secured++
    secured(client, site ?? table.default)
  }

  /** What speaks against a connection only after its handshake. */
  function objection(serverClass: ServerClass, client: TLSSocket, site: Site): HandshakeRefused['reason'] | undefined {
    if (site.isStrict) {
      // Who asked for no status was judged by nobody in the moments between a staple's end and the keeper's event.
      const certificate = certificateOf(site, serverClass.family)
      if (certificate?.isStapled) {
        const verdict = judgeHandshake(keeper.servable(certificate.certificateKey), site.policies)
        if (verdict.kind === 'refuse') {
          refusalDue(certificate)
          return verdict.reason
        }
      }
    }
    // A client cannot come here under a name whose clients are asked for other certificates, but no harm in being sure.
    if (site.authId !== serverClass.authId) return 'client-certificate'
    if (site.options.clientAuth?.pinnedKeys && !isPinned(client, site.options.clientAuth.pinnedKeys))
      return 'pinned-certs'
    const isTooOld =
      servers.minVersion !== 'TLSv1.3' && site.options.minVersion === 'TLSv1.3' && client.getProtocol() !== 'TLSv1.3'
    return isTooOld ? 'tls-version' : undefined
  }

  function passOn(raw: Socket, hello: ClientHello | undefined): void {
    const site = table.find(hello?.serverName) ?? (unknownSni === 'refuse' ? undefined : table.default)
    if (site === undefined) {
      refused('unknown-sni', raw, { serverName: hello?.serverName })
      closeWithAlert(raw, 'unrecognized_name')
      return
    }
    const shown = site.certificates.filter(({ refusal }) => refusal === undefined)
    if (shown.length === 0) {
      refused(site.certificates[0]?.refusal ?? 'no-staple', raw, { serverName: hello?.serverName })
      closeWithAlert(raw, 'handshake_failure')
      return
    }
    const uses = shown.map((certificate) => certificate.use)
    const family = hello ? chooseKeyFamily(hello, uses) : (uses[0] as KeyUse).family
    servers.of(family, site.authId)?.emit('connection', raw)
  }

  function timedOut(raw: Socket): void {
    const message = `no ClientHello within ${handshakeTimeoutMs} ms`
    failed(Object.assign(new Error(message), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }), raw)
  }

  function brokenOff(raw: Socket): void {
    const message = 'the client ended the connection before its ClientHello was whole'
    failed(Object.assign(new Error(message), { code: 'ECONNRESET' }), raw)
  }

  function reportFailure(error: Error & { code?: string }, client: TLSSocket): void {
    // Of a handshake that took too long Node only tells: the connection would stay, and keep its place.
    client.destroy()
    const cause = client.authorizationError && String(client.authorizationError)
    if (isStapleError(error, 'ERR_TERMINATOR_NO_CERTIFICATE')) refused(error.detail.reason as RefusalReason, client, {})
    // Node closes without a word when a client's certificate does not convince it.
    else if (cause || error.code === withoutCertificate)
      refused('client-certificate', client, {
        serverName: client.servername || undefined,
        cause: cause || 'none shown',
      })
    else failed(error, client)
  }

  return {
    accept(raw) {
      if (isPeeking) peek.start(raw)
      else servers.only?.emit('connection', raw)
    },
    refuse(certificate, reason) {
      certificate.refusal = reason
      isPeeking = mustPeek()
    },
    setTicketKeys: servers.setTicketKeys,
    close: peek.close,
  }
}

/** Ends a handshake out of the 'OCSPRequest' listener. Node closes the connection without an alert. */
function createRefusal({ certificateKey, site }: SiteCertificate, reason: RefusalReason): Refusal {
  const message = `no certificate is shown for ${site.label}: ${reason}`
  return new StapleError('ERR_TERMINATOR_NO_CERTIFICATE', message, { reason, certificateKey })
}

/** What OpenSSL says of a client that was asked for a certificate and has none. */
const withoutCertificate = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'

type Refusal = StapleError<'ERR_TERMINATOR_NO_CERTIFICATE'>

function ignore(): void {}
