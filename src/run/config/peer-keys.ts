/** Keys about asking CAs about clients: `tls { ocsp_peer }`, and `ocsp_cache`, where what they said is kept. */
import { duration, flag, oneOf } from './scalar.ts'
import { type Block, blockOf, createType, flagOr, type Key, Mistake } from './type.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const peerVerify: Key<boolean> = {
  name: 'verify',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning: 'Switches it on. Written as a map, `ocsp_peer` does nothing without it, as in nats-server.',
  example: 'verify: true',
}

export const caTimeout: Key<number> = {
  name: 'ca_timeout',
  origin: 'nats-server',
  type: duration({ least: 1, most: hour, isSecondsAllowed: true }),
  default: '"2s"',
  meaning:
    'How long a CA may take about one certificate, for each address of its responder; `tls { timeout }` from the end of the handshake is the end in any case. A number counts seconds.',
  example: 'ca_timeout: 0.5',
}

export const peerClockSkew: Key<number> = {
  name: 'allowed_clockskew',
  origin: 'nats-server',
  type: duration({ least: 0, most: day, isSecondsAllowed: true }),
  default: '"30s"',
  meaning:
    "How far in the future an answer's thisUpdate may be; at most half of its window counts. Its nextUpdate has no tolerance. A number counts seconds.",
  example: 'allowed_clockskew: "1m"',
}

export const cacheTtlWhenNextUpdateUnset: Key<number> = {
  name: 'cache_ttl_when_next_update_unset',
  origin: 'nats-server',
  type: duration({ least: 0, most: 10 * day, isSecondsAllowed: true }),
  default: '"1h"',
  meaning: 'How long an answer counts that does not say when the next one comes. A number counts seconds.',
  example: 'cache_ttl_when_next_update_unset: 600',
}

export const warnOnly: Key<boolean> = {
  name: 'warn_only',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning: 'Let everybody in whatever the CAs say, and say in the log who would have been refused.',
  example: 'warn_only: true',
}

export const unknownIsGood: Key<boolean> = {
  name: 'unknown_is_good',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning: 'Let those in whom the responder does not know.',
  example: 'unknown_is_good: true',
}

export const allowWhenCaUnreachable: Key<boolean> = {
  name: 'allow_when_ca_unreachable',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning:
    'Let those in about whom no CA can be reached, unless the last that was heard of them is that they are revoked.',
  example: 'allow_when_ca_unreachable: true',
}

export const whenNoResponder: Key<'allow' | 'refuse'> = {
  name: 'when_no_responder',
  origin: 'own',
  type: oneOf('allow', 'refuse'),
  default: 'allow',
  meaning: 'What of a certificate that does not say where its status can be asked.',
  example: 'when_no_responder: refuse',
}

export const peerRevocation: Key<'ocsp' | 'crl' | 'ocsp-then-crl'> = {
  name: 'revocation',
  origin: 'own',
  type: oneOf('ocsp', 'crl', 'ocsp-then-crl'),
  default: 'ocsp',
  meaning:
    'Where a status is looked up: at the responder, in the CRL, or in the CRL where no responder is named or it cannot say.',
  example: 'revocation: ocsp-then-crl',
}

export const recheck: Key<number> = {
  name: 'recheck',
  origin: 'own',
  type: duration({ least: 0, most: 30 * day }),
  default: '"5m"',
  meaning:
    'How often the CAs are asked about clients whose connections are open; those of a revoked one are closed. A new connection needs an answer no older than this. `"0s"`: never, and answers count as long as they say.',
  example: 'recheck: "1m"',
}

/** Whether CAs are asked about clients, or how in particular. */
export const ocspPeer: Key<boolean | Block> = {
  name: 'ocsp_peer',
  origin: 'nats-server',
  type: flagOr(
    blockOf({
      keys: [
        ...[peerVerify, caTimeout, peerClockSkew, cacheTtlWhenNextUpdateUnset],
        ...[warnOnly, unknownIsGood, allowWhenCaUnreachable, whenNoResponder, peerRevocation, recheck],
      ],
      idle: [],
    }),
  ),
  default: 'false',
  meaning:
    "With `verify`: ask the CAs of clients' certificates, intermediates included, whether they still count, and refuse those that do not. `true` is `{ verify: true }`.",
  example: 'ocsp_peer { verify: true, ca_timeout: "1s" }',
}

export const cacheType: Key<'local' | 'none'> = {
  name: 'type',
  origin: 'nats-server',
  type: oneOf('local', 'none'),
  default: 'local',
  meaning: '`local` holds answers in memory and on disk; `none` asks about every new connection.',
  example: 'type: none',
}

export const localStore: Key<string> = {
  name: 'local_store',
  origin: 'nats-server',
  type: createType('path', 'a directory', (value) => {
    if (value.kind !== 'string') {
      return new Mistake(
        'not a text',
        value.kind === 'map' || value.kind === 'list' ? 'write one path' : `put quotes around it`,
      )
    }
    // As in nats-server an empty one is the default.
    return value.value.trim() === '' ? defaultStore : value.value
  }),
  default: '"_rc_"',
  meaning: 'The directory of `cache.json`, which nats-server can share; relative to the working directory.',
  example: 'local_store: "/var/lib/staplewright/peers"',
}

export const preserveRevoked: Key<boolean> = {
  name: 'preserve_revoked',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning:
    'Keep what says that a certificate is revoked until a newer answer comes, however old it gets. Otherwise it is dropped a day after its nextUpdate.',
  example: 'preserve_revoked: true',
}

export const saveInterval: Key<number> = {
  name: 'save_interval',
  origin: 'nats-server',
  type: duration({ least: second, most: day, isSecondsAllowed: true }),
  default: '"5m"',
  meaning: 'How often what is new is written to disk; it is at the end too. A number counts seconds.',
  example: 'save_interval: 60',
}

/** Whether answers about clients are kept, or how in particular. */
export const ocspCache: Key<boolean | Block> = {
  name: 'ocsp_cache',
  origin: 'nats-server',
  type: flagOr(blockOf({ keys: [cacheType, localStore, preserveRevoked, saveInterval], idle: [] })),
  default: 'true',
  meaning:
    'Where answers about clients are kept; it matters with `tls { ocsp_peer }` alone. `true` is `{ type: local }`, `false` is `{ type: none }`.',
  example: 'ocsp_cache { local_store: "/var/lib/staplewright/peers", preserve_revoked: true }',
}

const defaultStore = '_rc_'
