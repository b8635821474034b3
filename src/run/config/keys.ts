/**
 * Every key that works, each declared once: the loader reads by it, the reference is made of it.
 *
 * Keys that are known but idle (nats-server's others, and those of later versions) are in idle-keys.ts.
 */
import { controlSocket, http, httpPort } from './admin-keys.ts'
import {
  allowedClockSkew,
  delegateWithoutNocheck,
  httpProxy,
  maxAgeWithoutNextUpdate,
  maxInterval,
  maxStaple,
  maxValidity,
  privateAddresses,
  responders,
} from './asking-keys.ts'
import { advertise, backend, protocol, sendProxyProtocol } from './backend-keys.ts'
import {
  acceptProxyProtocol,
  alpn,
  drainTimeout,
  host,
  idleTimeout,
  listen,
  maxConnections,
  port,
  unknownSni,
  workers,
} from './front-keys.ts'
import { idleTopKeys } from './idle-keys.ts'
import { ocspCache } from './peer-keys.ts'
import { flag, oneOf, text } from './scalar.ts'
import { sites } from './site-keys.ts'
import {
  gateMargin,
  jetStream,
  ocsp,
  onRevoked,
  onStale,
  onStart,
  onUnknown,
  startTimeout,
  storeDir,
} from './stapling-keys.ts'
import { tls } from './tls-keys.ts'
import { type Block, blockOf, type Key, type Located, listOf, type Type } from './type.ts'

export * from './admin-keys.ts'
export * from './asking-keys.ts'
export * from './backend-keys.ts'
export * from './front-keys.ts'
export * from './peer-keys.ts'
export * from './site-keys.ts'
export * from './stapling-keys.ts'
export * from './tls-keys.ts'

export const logLevel: Key<'debug' | 'info' | 'warn' | 'error'> = {
  name: 'level',
  origin: 'own',
  type: oneOf('debug', 'info', 'warn', 'error'),
  default: 'info',
  meaning: 'The least important lines that are shown.',
  example: 'level: warn',
}

export const logFormat: Key<'auto' | 'text' | 'json'> = {
  name: 'format',
  origin: 'own',
  type: oneOf('auto', 'text', 'json'),
  default: 'auto',
  meaning: '`text` for people, `json` for programs; `auto` is text on a terminal, else JSON.',
  example: 'format: json',
}

export const log: Key<Block> = {
  name: 'log',
  origin: 'own',
  type: blockOf({ keys: [logLevel, logFormat], idle: [] }),
  defaultNote: '`{ level: info, format: auto }`',
  meaning: 'What the log shows, and how. It goes to standard error.',
  example: 'log { level: info, format: json }',
}

const ignoredKeys: Key<readonly Located<string>[]> = {
  name: 'ignore',
  origin: 'own',
  type: listOf(text, 'keys', true),
  default: '[]',
  meaning:
    'Keys of nats-server that are refused because the service would be more open without them: for those named here a notice is enough.',
  example: 'ignore: ["verify_and_map"]',
}

export const allowSha1Signatures: Key<boolean> = {
  name: 'allow_sha1_signatures',
  origin: 'own',
  type: flag,
  default: 'false',
  meaning: 'Accept responses signed with SHA-1, which proves nothing today.',
  example: 'allow_sha1_signatures: true',
}

export const unverifiedBackends: Key<boolean> = {
  name: 'unverified_backends',
  origin: 'own',
  type: flag,
  default: 'false',
  meaning: 'Take any certificate of a `tls://` backend: whoever is on the way can read and change everything.',
  example: 'unverified_backends: true',
}

export const danger: Key<Block> = {
  name: 'danger',
  origin: 'own',
  type: blockOf({ keys: [ignoredKeys, allowSha1Signatures, unverifiedBackends], idle: [] }),
  defaultNote: 'nothing',
  meaning: 'What lowers safety stands apart.',
  example: 'danger { ignore: ["verify_and_map"] }',
}

/** The top level, in the order and groups of the reference. */
export const groups: readonly { readonly title: string; readonly keys: readonly Key<unknown>[] }[] = [
  {
    title: 'Where connections come in and go to',
    keys: [
      ...[listen, host, port, backend, protocol, advertise, alpn, unknownSni, acceptProxyProtocol, sendProxyProtocol],
      ...[workers, maxConnections, idleTimeout, drainTimeout],
    ],
  },
  { title: 'Certificates', keys: [tls, sites, gateMargin] },
  {
    title: 'Stapling',
    keys: [ocsp, onStart, startTimeout, onRevoked, onUnknown, onStale, storeDir, jetStream],
  },
  {
    title: 'Asking responders',
    keys: [responders, maxInterval, httpProxy, privateAddresses],
  },
  {
    title: 'Judging answers',
    keys: [allowedClockSkew, maxAgeWithoutNextUpdate, maxValidity, maxStaple, delegateWithoutNocheck],
  },
  { title: 'Asking about clients', keys: [ocspCache] },
  { title: 'Asking the daemon', keys: [http, httpPort, controlSocket] },
  { title: 'The log', keys: [log] },
  { title: 'Danger', keys: [danger] },
]

/** The whole configuration. */
export const configuration: Type<Block> = blockOf({ keys: groups.flatMap((group) => group.keys), idle: idleTopKeys })
