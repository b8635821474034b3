/**
 * `front: true`: a server with two key types, taken apart into one tls.Server per family of keys.
 *
 * The user's server goes on listening, but its connections first pass a peek at the ClientHello and then the inner
 * server whose key the client can use; what that tells (secured connections, failed handshakes, sessions) is told by the
 * user's server as its own, so that https and http2 notice nothing. Only public functions of Node are used: the
 * listener that a tls.Server adds for connections is known by comparison with that of a fresh one.
 */
import { createPrivateKey, KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { createServer, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls'
import type { Clock } from '../../keep/clock.ts'
import { formatName } from '../../pki/x509/name.ts'
import { readBundle } from './bundle.ts'
import type { ClientHello } from './client-hello.ts'
import { chooseKeyFamily, type KeyFamily, type KeyUse, keyUse } from './key-choice.ts'
import { createPeek } from './peek.ts'
import type { StatusListener } from './status-listener.ts'

export interface KeyTypeFront {
  addContext(hostname: string, context: SecureContextOptions): void
  setSecureContext(options: SecureContextOptions): void
  /** Gives the connections back to the server as it was. */
  close(): void
}

/** Takes the connections of a server over. Throws a TypeError when the options lack what the inner servers need. */
export function createKeyTypeFront(
  server: Server,
  options: TlsOptions,
  clock: Clock,
  listener: StatusListener | undefined,
): KeyTypeFront {
  const own = ownConnectionListener()
  if (!server.listeners('connection').includes(own))
    throw new TypeError('server: its connections are taken by somebody else already')
  let current = splitByFamily('options', options)
  const names: { readonly pattern: RegExp; readonly uses: readonly KeyUse[] }[] = []
  const shared: TlsOptions = {
    ...defaultProtocols(server, options),
    ...options,
    sessionIdContext: options.sessionIdContext ?? 'staplewright',
    ticketKeys: options.ticketKeys ?? randomBytes(48),
  }
  const servers = new Map<KeyFamily, Server>()
  const contexts: { readonly hostname: string; readonly split: SplitContext }[] = []
  const peek = createPeek({
    clock,
    timeoutMs: Math.min(options.handshakeTimeout ?? longestPeekMs, longestPeekMs),
    passOn,
    timedOut: (socket) => {
      const error = Object.assign(new Error('TLS handshake timeout: no ClientHello came'), {
        code: 'ERR_TLS_HANDSHAKE_TIMEOUT',
      })
      server.emit('tlsClientError', error, socket as never)
    },
  })
  renew()

  /** Makes the inner servers anew: connections under way stay with those that they began with. */
  function renew(): void {
    servers.clear()
    const families = new Set([...current.keys(), ...contexts.flatMap(({ split }) => [...split.keys()])])
    for (const family of families) servers.set(family, createInner(family))
  }

  function createInner(family: KeyFamily): Server {
    const { cert: _cert, key: _key, passphrase: _passphrase, ...rest } = shared
    const inner = createServer({ ...rest, ...current.get(family)?.options })
    inner.on('secureConnection', (socket) => server.emit('secureConnection', socket))
    inner.on('tlsClientError', (error, socket) => server.emit('tlsClientError', error, socket))
    if (listener) inner.on('OCSPRequest', listener as never)
    // Node makes sessions and key logs only for who listens, so it is asked for on behalf of who does.
    for (const event of ['newSession', 'resumeSession', 'keylog'] as const) {
      if (server.listenerCount(event) > 0)
        inner.on(event as string, (...told: unknown[]) => server.emit(event as string, ...told))
    }
    for (const { hostname, split } of contexts) {
      const context = split.get(family)
      if (context) inner.addContext(hostname, context.options)
    }
    return inner
  }

  function passOn(raw: Socket, hello: ClientHello | undefined): void {
    const uses = usesOf(hello?.serverName)
    const family = hello ? chooseKeyFamily(hello, uses) : (uses[0] as KeyUse).family
    servers.get(family)?.emit('connection', raw)
  }

  /** As Node itself looks a name up: the context added last wins. */
  function usesOf(serverName: string | undefined): readonly KeyUse[] {
    if (serverName !== undefined) {
      for (let index = names.length - 1; index >= 0; index--) {
        const one = names[index]
        if (one?.pattern.test(serverName)) return one.uses
      }
    }
    return usesIn(current)
  }

  function accept(raw: Socket): void {
    peek.start(raw)
  }

  function forget(event: string | symbol): void {
    if (event === 'newSession' || event === 'resumeSession' || event === 'keylog') setImmediate(renew)
  }

  const front: KeyTypeFront = {
    addContext(hostname, context) {
      const split = splitByFamily('context', context)
      contexts.push({ hostname, split })
      names.push({ pattern: patternOf(hostname), uses: usesIn(split) })
      renew()
    },
    setSecureContext(context) {
      current = splitByFamily('options', context)
      renew()
    },
    close() {
      peek.close()
      server.off('connection', accept)
      server.off('newListener', forget)
      server.prependListener('connection', own)
      for (const method of shadowed) Reflect.deleteProperty(server, method)
    },
  }

  server.off('connection', own)
  server.prependListener('connection', accept)
  server.on('newListener', forget)
  // Who calls these on the server itself means its connections, which come from the inner servers now.
  const shadows = {
    addContext: (hostname: string, context: SecureContextOptions) => front.addContext(hostname, context),
    setSecureContext: (context: SecureContextOptions) => front.setSecureContext(context),
    getTicketKeys: () => shared.ticketKeys as Buffer,
    setTicketKeys: (keys: Buffer) => {
      shared.ticketKeys = keys
      for (const inner of servers.values()) inner.setTicketKeys(keys)
    },
  }
  Object.assign(server, shadows)
  return front
}

type KeyOption = Exclude<SecureContextOptions['key'], undefined>
type SplitContext = ReadonlyMap<KeyFamily, { readonly use: KeyUse; readonly options: SecureContextOptions }>

function usesIn(split: SplitContext): KeyUse[] {
  return [...split.values()].map(({ use }) => use)
}

/** One context per family of keys, each with its certificate and the key that fits it. */
function splitByFamily(option: string, context: SecureContextOptions): SplitContext {
  const { cert, key, passphrase, ...rest } = context
  const certs = cert === undefined ? [] : Array.isArray(cert) ? cert : [cert]
  const keys = key === undefined ? [] : Array.isArray(key) ? key : [key]
  if (certs.length === 0 || keys.length === 0) {
    throw new TypeError(
      `${option}: front needs cert and key, as passed to createServer, found ${certs.length} and ${keys.length}`,
    )
  }
  const split = new Map<KeyFamily, { use: KeyUse; options: SecureContextOptions }>()
  for (const [index, one] of certs.entries()) {
    const { leaf } = readBundle(`${option}.cert[${index}]`, one)
    const use = keyUse(leaf, { ciphers: context.ciphers, ecdhCurve: context.ecdhCurve })
    const { family } = use
    if (split.has(family))
      throw new TypeError(`${option}.cert[${index}]: a second certificate with a key of the ${family} family`)
    const fitting = keys.find((candidate) =>
      new X509Certificate(leaf.der).checkPrivateKey(readKey(candidate, passphrase)),
    )
    if (fitting === undefined) {
      throw new TypeError(`${option}.key: none fits cert[${index}] (${formatName(leaf.subject)})`)
    }
    const options: SecureContextOptions = {
      ...rest,
      cert: one,
      key: [fitting] as KeyOption,
      ...(passphrase !== undefined && { passphrase }),
    }
    split.set(family, { use, options })
  }
  return split
}

/** A key in any of the forms that Node's `key` takes. */
function readKey(key: unknown, passphrase: string | undefined): KeyObject {
  if (key instanceof KeyObject) return key
  const isObject = typeof key === 'object' && key !== null && 'pem' in key
  const { pem, passphrase: own } = (isObject ? key : { pem: key }) as { pem: string | Buffer; passphrase?: string }
  const secret = own ?? passphrase
  return createPrivateKey({ key: pem, ...(secret !== undefined && { passphrase: secret }) })
}

/** What https and http2 servers set by themselves, and the inner servers would lack. */
function defaultProtocols(
  server: Server,
  options: TlsOptions & { readonly allowHTTP1?: boolean },
): Pick<TlsOptions, 'ALPNProtocols'> {
  if (server instanceof HttpsServer) return { ALPNProtocols: ['http/1.1'] }
  // A http2 server has no class to compare with; it alone has this method.
  if ('updateSettings' in server) return { ALPNProtocols: options.allowHTTP1 ? ['h2', 'http/1.1'] : ['h2'] }
  return {}
}

/** As `addContext` of Node reads a host name: a star is one label. */
function patternOf(hostname: string): RegExp {
  return new RegExp(`^${hostname.replace(/([.^$+?\-\\[\]{}])/g, '\\$1').replaceAll('*', '[^.]*')}$`)
}

/** The listener that every tls.Server adds for its connections. */
function ownConnectionListener(): (...told: unknown[]) => void {
  const [own] = createServer().listeners('connection')
  return own as (...told: unknown[]) => void
}

const shadowed = ['addContext', 'setSecureContext', 'getTicketKeys', 'setTicketKeys'] as const

/** A ClientHello is the first thing a client sends; who takes longer is not waited for. */
const longestPeekMs = 10_000
