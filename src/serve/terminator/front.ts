/**
 * The TLS side of a terminator: takes raw connections, gives back secured ones with their site, stapled.
 *
 * One tls.Server per family of keys, none of which listens. In the ordinary case there is a single one, which gets its
 * connections directly. A peek at the ClientHello stands before them only while something needs it: several families,
 * `unknown_sni: refuse`, or a certificate that policy refuses to show.
 */
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { ClientHello } from '../attach/client-hello.ts'
import { chooseKeyFamily, type KeyFamily } from '../attach/key-choice.ts'
import { createPeek } from '../attach/peek.ts'
import { judgeHandshake, type RefusalReason } from '../attach/policy.ts'
import { closeWithAlert } from './alert.ts'
import { contextOptions, lowestVersion } from './contexts.ts'
import type { HandshakeRefused } from './events.ts'
import type { StapleSource } from './options.ts'
import { certificateOf, type Site, type SiteCertificate, type SiteTable } from './site.ts'

export interface FrontOptions {
  readonly table: SiteTable
  readonly keeper: StapleSource
  readonly clock: Clock
  readonly alpn: readonly string[]
  readonly handshakeTimeoutMs: number
  readonly unknownSni: 'default' | 'refuse'
  readonly ticketKeys: Buffer
  /** The handshake is done and the site may be shown; nothing has been read yet. */
  secured(client: TLSSocket, site: Site): void
  failed(error: Error & { code?: string }, socket: Socket): void
  refused(reason: HandshakeRefused['reason'], client: Socket, serverName: string | undefined): void
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
  readonly tally: FrontTally
  close(): void
}

/** Counts since the start. */
export interface FrontTally {
  secured: number
  stapled: number
  /** A status was asked for and there was none to give. */
  unstapled: number
}

/** Creates the front. Throws what OpenSSL says when a key does not fit its certificate. */
export function createFront(options: FrontOptions): Front {
  const { table, keeper, clock, alpn, handshakeTimeoutMs, unknownSni, secured, failed, refused, refusalDue } = options
  const tally: FrontTally = { secured: 0, stapled: 0, unstapled: 0 }
  const certificates = table.sites.flatMap((site) => site.certificates)
  const families = [...new Set(certificates.map((certificate) => certificate.family))]
  const isNaming = table.sites.length > 1
  const minVersion = lowestVersion(table.sites)
  const servers = new Map<KeyFamily, Server>()
  for (const family of families) servers.set(family, createFamilyServer(family))
  const [onlyServer] = servers.values()

  const peek = createPeek({ clock, timeoutMs: handshakeTimeoutMs, passOn, timedOut })
  let isPeeking = mustPeek()
  // Set while the SNI callback runs, in which Node emits 'OCSPRequest': the same certificate may belong to two sites.
  let namedSite: Site | undefined

  function mustPeek(): boolean {
    return families.length > 1 || unknownSni === 'refuse' || certificates.some(({ refusal }) => refusal !== undefined)
  }

  function createFamilyServer(family: KeyFamily): Server {
    // A default certificate of another family would stand beside the one of the client's site, and Node 20 shows either.
    const server = createServer({
      ...contextOptions(table.default, certificateOf(table.default, family)),
      minVersion,
      ticketKeys: options.ticketKeys,
      handshakeTimeout: handshakeTimeoutMs,
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
      ...(isNaming && { SNICallback: createSniCallback(family) }),
    })
    server.on('secureConnection', (client) => admit(family, client))
    server.on('tlsClientError', reportFailure)
    if (certificates.some(({ isStapled }) => isStapled)) server.on('OCSPRequest', answerStatus)
    return server
  }

  function createSniCallback(family: KeyFamily): SniCallback {
    const contexts = new Map<Site, SecureContext>()
    for (const site of table.sites) {
      const certificate = certificateOf(site, family)
      if (certificate) contexts.set(site, createSecureContext(contextOptions(site, certificate)))
    }
    return (name, callback) => {
      const site = table.find(name) ?? table.default
      namedSite = site
      callback(null, contexts.get(site))
      namedSite = undefined
    }
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

  function admit(family: KeyFamily, client: TLSSocket): void {
    const site = isNaming || unknownSni === 'refuse' ? table.find(client.servername) : table.default
    const reason =
      site === undefined && unknownSni === 'refuse' ? 'unknown-sni' : objection(family, client, site ?? table.default)
    if (reason !== undefined) {
      client.on('error', ignore)
      client.destroy()
      refused(reason, client, client.servername || undefined)
      return
    }
    tally.secured++
    secured(client, site ?? table.default)
  }

  /** What speaks against a connection only after its handshake. */
  function objection(family: KeyFamily, client: TLSSocket, site: Site): HandshakeRefused['reason'] | undefined {
    if (site.isStrict) {
      // Who asked for no status was judged by nobody in the moments between a staple's end and the keeper's event.
      const certificate = certificateOf(site, family)
      if (certificate?.isStapled) {
        const verdict = judgeHandshake(keeper.servable(certificate.certificateKey), site.policies)
        if (verdict.kind === 'refuse') {
          refusalDue(certificate)
          return verdict.reason
        }
      }
    }
    const isTooOld =
      minVersion !== 'TLSv1.3' && site.options.minVersion === 'TLSv1.3' && client.getProtocol() !== 'TLSv1.3'
    return isTooOld ? 'tls-version' : undefined
  }

  function passOn(raw: Socket, hello: ClientHello | undefined): void {
    const site = table.find(hello?.serverName) ?? (unknownSni === 'refuse' ? undefined : table.default)
    if (site === undefined) {
      refused('unknown-sni', raw, hello?.serverName)
      closeWithAlert(raw, 'unrecognized_name')
      return
    }
    const shown = site.certificates.filter(({ refusal }) => refusal === undefined)
    if (shown.length === 0) {
      refused(site.certificates[0]?.refusal ?? 'no-staple', raw, hello?.serverName)
      closeWithAlert(raw, 'handshake_failure')
      return
    }
    const available = shown.map((certificate) => certificate.family)
    const family = hello && available.length > 1 ? chooseKeyFamily(hello, available) : (available[0] as KeyFamily)
    servers.get(family)?.emit('connection', raw)
  }

  function timedOut(raw: Socket): void {
    failed(
      Object.assign(new Error(`no ClientHello within ${handshakeTimeoutMs} ms`), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }),
      raw,
    )
  }

  function reportFailure(error: Error & { code?: string }, client: TLSSocket): void {
    // Of a handshake that took too long Node only tells: the connection would stay, and keep its place.
    client.destroy()
    if (isStapleError(error, 'ERR_TERMINATOR_NO_CERTIFICATE'))
      refused(error.detail.reason as RefusalReason, client, undefined)
    else failed(error, client)
  }

  return {
    tally,
    accept(raw) {
      if (isPeeking) peek.start(raw)
      else onlyServer?.emit('connection', raw)
    },
    refuse(certificate, reason) {
      certificate.refusal = reason
      isPeeking = mustPeek()
    },
    setTicketKeys(keys) {
      for (const server of servers.values()) server.setTicketKeys(keys)
    },
    close: peek.close,
  }
}

/** Ends a handshake out of the 'OCSPRequest' listener. Node closes the connection without an alert. */
function createRefusal({ certificateKey, site }: SiteCertificate, reason: RefusalReason): Refusal {
  const message = `no certificate is shown for ${site.label}: ${reason}`
  return new StapleError('ERR_TERMINATOR_NO_CERTIFICATE', message, { reason, certificateKey })
}

type Refusal = StapleError<'ERR_TERMINATOR_NO_CERTIFICATE'>
type StatusCallback = (error: Error | null, staple: Buffer | null) => void
type SniCallback = (name: string, callback: (error: Error | null, context?: SecureContext) => void) => void

function ignore(): void {}
