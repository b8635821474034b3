/** What `staple(server, options)` is told, and what it does when told nothing. */
import type { TlsOptions } from 'node:tls'
import type { Clock } from '../../keep/clock.ts'
import type { Fetcher } from '../../keep/fetch/index.ts'
import type { Keeper } from '../../keep/keeper/index.ts'
import type { Store } from '../../keep/store/index.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { StaplerEvent } from './events.ts'
import { defaultPolicies, type Mode, type Policies } from './policy.ts'

/**
 * Everything is optional. The options that the server was created with may be passed as they are, among the others:
 * `cert` and `ca` are read from them, and with `front` all of them are used.
 */
export interface StapleOptions extends TlsOptions {
  /**
   * Every certificate that the server shows, each as PEM (the leaf first, its chain behind it) or as the leaf's DER:
   * those of `cert` when that is not passed, and those that an SNICallback of yours may choose. Node tells nobody what
   * a server was created with, so a certificate that is neither here nor in `cert` is stapled only from the second or
   * third handshake on: it is learned in the first one that asks for a status, and fetched in the background.
   */
  readonly certificates?: readonly (string | Uint8Array)[]
  /**
   * Which certificates are stapled. Default `always`: who calls `staple` wants every handshake stapled. (nats-server's
   * `auto`, the default of `staplewright serve`, staples Must-Staple certificates only.)
   */
  readonly mode?: Mode
  /** A verified revocation. Default `staple` (auto), `stop` (must, always): it is stapled, and a 'stop' event asks you to end. */
  readonly onRevoked?: Policies['onRevoked']
  /** The responder does not know the certificate. Default `keep`: the last good staple, while it is fresh. */
  readonly onUnknown?: Policies['onUnknown']
  /**
   * There is no staple to give. Default `unstapled`. `refuse` ends the handshakes of clients that ask for a status, with
   * a 'tlsClientError'; Node does not tell of those that do not ask, and they are served.
   */
  readonly onStale?: Policies['onStale']
  /** Asked in place of the certificates' own responder URLs. */
  readonly url?: string
  /** The same, several in turn. */
  readonly urls?: readonly string[]
  /** The hash in the request's certID; default `auto`: SHA-1, unless the responder refuses it. */
  readonly hashAlgorithm?: 'auto' | 'sha1' | 'sha256'
  readonly method?: 'auto' | 'get' | 'post'
  /** A certificate that may sign for the issuer, by local configuration; PEM or DER. */
  readonly responderCertificate?: string | Uint8Array
  /** Where staples rest between runs, so that a restart needs no responder. Default: nowhere, they are in memory only. */
  readonly storeDir?: string
  /** In place of `storeDir`: a store of your own, which stays open. */
  readonly store?: Store
  /** How responders are asked. Default `createFetcher({ clock })`; one of yours stays open. */
  readonly fetcher?: Fetcher
  /** A keeper that several servers share, in place of store and fetcher; it stays open. */
  readonly keeper?: Keeper
  /** How long `staple` waits for staples that are not in yet. Default 5 s. */
  readonly startTimeoutMs?: number
  /**
   * The server has certificates with two kinds of keys (RSA and ECDSA) in one context, where Node names the wrong one to
   * who staples. With `front: true` the ClientHello is looked at first, which costs about 25 us a connection, and each
   * kind of key gets a context of its own. Needs `cert`, `key` and all other TLS options of the server. Default false.
   */
  readonly front?: boolean
  readonly clock?: Clock
  /** Every event from the very beginning; `stapler.subscribe` starts when `staple` has resolved. */
  readonly onEvent?: (event: StaplerEvent) => void
}

/** Where and how to ask about each certificate. */
export interface Asking {
  readonly responderURLs?: readonly string[]
  readonly hashAlgorithm?: 'auto' | 'sha1' | 'sha256'
  readonly method?: 'auto' | 'get' | 'post'
  readonly responderCertificate?: Certificate
}

export interface ResolvedPolicies {
  readonly mode: Mode
  readonly policies: Policies
}

/** Fills in the defaults. Throws a TypeError that names the option whose value is none of those expected. */
export function resolvePolicies(options: StapleOptions): ResolvedPolicies {
  const mode = oneOf('mode', options.mode ?? 'always', ['auto', 'must', 'always', 'never'])
  const defaults = defaultPolicies(mode)
  return {
    mode,
    policies: {
      onStart: defaults.onStart,
      onRevoked: oneOf('onRevoked', options.onRevoked ?? defaults.onRevoked, [
        'staple',
        'withhold',
        'stop',
        'stop-site',
      ]),
      onUnknown: oneOf('onUnknown', options.onUnknown ?? defaults.onUnknown, ['keep', 'staple', 'stop']),
      onStale: oneOf('onStale', options.onStale ?? defaults.onStale, ['unstapled', 'refuse']),
    },
  }
}

/** The default of `startTimeoutMs`, nats-server's own patience with a responder at start. */
export const defaultStartTimeoutMs = 5_000

function oneOf<T extends string>(option: string, found: T, expected: readonly T[]): T {
  if (expected.includes(found)) return found
  throw new TypeError(
    `${option}: expected ${expected.map((value) => `'${value}'`).join(', ')}, found ${JSON.stringify(found)}`,
  )
}
