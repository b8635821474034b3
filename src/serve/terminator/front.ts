/**
 * The TLS side of a terminator: takes raw connections, gives back secured ones with their site, stapled.
 *
 * One tls.Server per family of keys, none of which listens: a single one in the ordinary case, which then gets its
 * connections directly; several only when some site has several key types, and then behind a peek at the ClientHello.
 * Swapping a certificate for a refusal (and back) happens here, on the judgement of policy.ts.
 */
import type { Socket } from 'node:net'
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'
import type { Clock } from '../../keep/clock.ts'
import type { Keeper } from '../../keep/keeper/index.ts'
import type { ClientHello } from '../attach/client-hello.ts'
import { chooseKeyFamily, type KeyFamily } from '../attach/key-choice.ts'
import { createPeek } from '../attach/peek.ts'
import { judgeHandshake, type RefusalReason } from '../attach/policy.ts'
import {
  contextOptions,
  createRefusingContext,
  createTicketKeys,
  lowestVersion,
  withoutCertificate,
} from './contexts.ts'
import type { HandshakeRefused } from './events.ts'
import { certificateFor, type Site, type SiteCertificate, type SiteTable } from './site.ts'

export interface FrontOptions {
  readonly table: SiteTable
  readonly keeper: Keeper
  readonly clock: Clock
  readonly alpn: readonly string[]
  readonly handshakeTimeoutMs: number
  readonly unknownSni: 'default' | 'refuse'
  readonly ticketKeys: Buffer
  /** The handshake is done and the site may be shown; nothing has been read yet. */
  secured(client: TLSSocket, site: Site): void
  failed(error: Error & { code?: string }, socket: Socket): void
  refused(reason: HandshakeRefused['reason'], client: Socket | undefined, serverName: string | undefined): void
  /** A handshake met a certificate that policy refuses at this moment: {@link Front.refuse} is due. */
  refusalDue(certificate: SiteCertificate, reason: RefusalReason): void
}

export interface Front {
  /** Takes a connection that nobody has read from. */
  accept(raw: Socket): void
  /** Shows a certificate, or refuses full handshakes on it and forgets every session. */
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
  const refusing = createRefusingContext()
  const minVersion = lowestVersion(table.sites)
  const families = [
    ...new Set(table.sites.flatMap((site) => site.certificates.map((certificate) => certificate.family))),
  ]
  const isPeeking = table.sites.some((site) => site.certificates.length > 1)
  const isNaming = table.sites.length > 1 || unknownSni === 'refuse'
  const servers = new Map<KeyFamily, Server>()
  let ticketKeys = options.ticketKeys
  // In the order in which their errors will come, which follow within the same turn of the loop.
  const refusedByContext: { readonly reason: HandshakeRefused['reason']; readonly name: string }[] = []
  // Set while the SNI callback runs, in which Node emits 'OCSPRequest': the same certificate may belong to two sites.
  let namedSite: Site | undefined

  for (const family of isPeeking ? families : families.slice(0, 1)) servers.set(family, createFamilyServer(family))
  const [onlyServer] = servers.values()
  const peek = isPeeking
    ? createPeek({ clock, timeoutMs: handshakeTimeoutMs, passOn: passOnByFamily, timedOut })
    : undefined

  function createFamilyServer(family: KeyFamily): Server {
    for (const site of table.sites) {
      const certificate = certificateFor(site, family)
      certificate.context ??= createContext(certificate)
    }
    const server = createServer({
      ...serverOptions(certificateFor(table.default, family)),
      handshakeTimeout: handshakeTimeoutMs,
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
      ...(isNaming && { SNICallback: (name, callback) => chooseContext(family, name, callback) }),
    })
    server.on('secureConnection', (client) => admit(family, client))
    server.on('tlsClientError', reportFailure)
    if (table.sites.some((site) => site.certificates.some(({ isStapled }) => isStapled)))
      server.on('OCSPRequest', answerStatus)
    return server
  }

  function chooseContext(
    family: KeyFamily,
    name: string,
    callback: (error: Error | null, context?: SecureContext) => void,
  ): void {
    const site = table.find(name) ?? (unknownSni === 'refuse' ? undefined : table.default)
    const certificate = site && certificateFor(site, family)
    const refusal = site === undefined ? 'unknown-sni' : certificate?.refusal
    if (refusal !== undefined) refusedByContext.push({ reason: refusal, name })
    namedSite = site
    callback(null, refusal === undefined ? certificate?.context : refusing)
    namedSite = undefined
  }

  /** Tells what was refused on purpose from what failed. */
  function reportFailure(error: Error & { code?: string; refusal?: RefusalReason }, client: TLSSocket): void {
    if (error.refusal !== undefined) refused(error.refusal, client, undefined)
    else if (error.code !== undefined && noCertificateCodes.has(error.code)) {
      const named = refusedByContext.shift()
      const unnamed = named ?? { reason: defaultRefusal(), name: undefined }
      if (unnamed.reason === undefined) failed(error, client)
      else refused(unnamed.reason, client, unnamed.name)
    } else failed(error, client)
  }

  function defaultRefusal(): RefusalReason | undefined {
    return table.default.certificates.find(({ refusal }) => refusal !== undefined)?.refusal
  }

  /** The one 'OCSPRequest' listener. It must not throw: on Node 20 and 22 that would end the process. */
  function answerStatus(der: Buffer | null, _issuer: Buffer | null, callback: StatusCallback): void {
    let staple: Buffer | null = null
    let refusal: Error | null = null
    try {
      const certificate = der === null ? undefined : findShown(der)
      if (certificate?.isStapled) {
        const verdict = judgeHandshake(keeper.servable(certificate.certificateKey), certificate.site.policies)
        if (verdict.kind === 'staple') staple = verdict.staple as Buffer
        else if (verdict.kind === 'refuse') {
          refusal = Object.assign(new Error(`handshake refused: ${verdict.reason}`), { refusal: verdict.reason })
          refusalDue(certificate, verdict.reason)
        }
      }
    } catch {
      // Without a judgement there is no staple; the keeper's own failures are its events.
      staple = null
    }
    if (staple !== null) tally.stapled++
    else if (der !== null) tally.unstapled++
    callback(refusal, staple)
  }

  function findShown(der: Buffer): SiteCertificate | undefined {
    const certificates = table.findCertificates(der)
    if (certificates.length < 2) return certificates[0]
    const site = namedSite ?? table.default
    return certificates.find((certificate) => certificate.site === site) ?? certificates[0]
  }

  function admit(family: KeyFamily, client: TLSSocket): void {
    const name = client.servername
    const site = isNaming ? (table.find(name) ?? table.default) : table.default
    if (site.isStrict) {
      // Who asked for no status was judged by nobody yet, in the moments between a staple's end and its event.
      const certificate = certificateFor(site, family)
      const verdict = certificate.isStapled
        ? judgeHandshake(keeper.servable(certificate.certificateKey), site.policies)
        : undefined
      if (verdict?.kind === 'refuse') {
        client.on('error', ignore)
        client.destroy()
        refused(verdict.reason, client, name || undefined)
        refusalDue(certificate, verdict.reason)
        return
      }
    }
    if (site.options.minVersion === 'TLSv1.3' && minVersion !== 'TLSv1.3' && client.getProtocol() !== 'TLSv1.3') {
      client.on('error', ignore)
      client.destroy()
      refused('tls-version', client, name || undefined)
      return
    }
    tally.secured++
    secured(client, site)
  }

  function passOnByFamily(raw: Socket, hello: ClientHello | undefined): void {
    const site = table.find(hello?.serverName) ?? table.default
    const shown = site.certificates.filter(({ refusal }) => refusal === undefined)
    const available = (shown.length > 0 ? shown : site.certificates).map((certificate) => certificate.family)
    const family = hello ? chooseKeyFamily(hello, available) : (available[0] as KeyFamily)
    servers.get(family)?.emit('connection', raw)
  }

  function timedOut(raw: Socket): void {
    failed(
      Object.assign(new Error(`no ClientHello within ${handshakeTimeoutMs} ms`), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }),
      raw,
    )
  }

  function createContext(certificate: SiteCertificate): SecureContext {
    return createSecureContext(contextOptions(certificate))
  }

  function serverOptions(certificate: SiteCertificate): SecureContextOptions & { ticketKeys: Buffer } {
    const shown = { ...contextOptions(certificate), minVersion, ticketKeys }
    return certificate.refusal === undefined ? shown : { ...withoutCertificate(shown), ticketKeys }
  }

  /** Applies the state of the default site's certificates to clients that send no name. */
  function renew(): void {
    for (const [family, server] of servers)
      server.setSecureContext(serverOptions(certificateFor(table.default, family)))
  }

  return {
    tally,
    accept: (raw) => {
      if (peek) peek.start(raw)
      else onlyServer?.emit('connection', raw)
    },
    refuse(certificate, reason) {
      if (certificate.refusal === reason) return
      certificate.refusal = reason
      if (reason !== undefined) ticketKeys = createTicketKeys()
      renew()
    },
    setTicketKeys(keys) {
      ticketKeys = keys
      for (const server of servers.values()) server.setTicketKeys(keys)
    },
    close() {
      peek?.close()
    },
  }
}

type StatusCallback = (error: Error | null, staple: Buffer | null) => void

/** What OpenSSL says of a context without a certificate: TLS 1.3, and TLS 1.2. */
const noCertificateCodes: ReadonlySet<string> = new Set([
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_SHARED_CIPHER',
])

function ignore(): void {}
