/**
 * Every key that works, each declared once: the loader reads by it, the reference is made of it.
 *
 * Keys that are known but idle (nats-server's others, and those of later versions) are in idle-keys.ts.
 */
import { backendURL, hostName, httpURL, listenAddress, portNumber, protocolName, proxy, serverName } from './address.ts'
import { cipherSuite, curve } from './cipher.ts'
import { idleTlsKeys, idleTopKeys } from './idle-keys.ts'
import { count, duration, flag, oneOf, path, size, text } from './scalar.ts'
import type { ListenerSettings, Mode, Policies } from './settings.ts'
import {
  type Block,
  blockOf,
  createType,
  dictionaryOf,
  flagOr,
  type Key,
  type Located,
  listOf,
  Mistake,
  type Type,
} from './type.ts'
import { quote } from './value.ts'

const second = 1_000
const hour = 3_600 * second
const day = 24 * hour

// ---- where connections come in and go to --------------------------------------------------------------------------

export const listen: Key<readonly Located<ListenerSettings>[]> = {
  name: 'listen',
  origin: 'nats-server',
  type: listOf(listenAddress, 'addresses'),
  default: '"0.0.0.0:4222"',
  meaning: 'Where to take connections: `host:port`, a port alone, or a list of them. Port 0 or -1: any that is free.',
  example: 'listen: "0.0.0.0:8443"',
}

export const host: Key<string> = {
  name: 'host',
  aliases: ['net'],
  origin: 'nats-server',
  type: hostName,
  defaultNote: '`0.0.0.0`',
  meaning: 'The host of `listen`, on its own. `listen` wins over it.',
  example: 'host: "127.0.0.1"',
}

export const port: Key<number> = {
  name: 'port',
  origin: 'nats-server',
  type: portNumber,
  defaultNote: '4222',
  meaning: 'The port of `listen`, on its own. `listen` wins over it.',
  example: 'port: 8443',
}

export const backend: Key<string> = {
  name: 'backend',
  origin: 'own',
  type: backendURL,
  defaultNote: 'none: one is needed here, in every site, or as `--backend`',
  meaning: 'Where connections are passed on to, once TLS is taken off.',
  example: 'backend: "tcp://127.0.0.1:8080"',
}

export const alpn: Key<readonly Located<string>[]> = {
  name: 'alpn',
  origin: 'own',
  type: listOf(protocolName, 'protocols', true),
  default: '[]',
  meaning:
    'The protocols offered in ALPN, best first. The backend is not told which one was chosen, so name those it speaks.',
  example: 'alpn: ["http/1.1"]',
}

export const unknownSni: Key<'default' | 'refuse'> = {
  name: 'unknown_sni',
  origin: 'own',
  type: oneOf('default', 'refuse'),
  default: 'default',
  meaning:
    'What a client gets that asks for a name of no site: the default site, or an end. A client that names nobody is such a client too.',
  example: 'unknown_sni: refuse',
}

export const maxConnections: Key<number> = {
  name: 'max_connections',
  aliases: ['max_conn'],
  origin: 'nats-server',
  type: count(1, 1_000_000),
  default: '65536',
  meaning: 'Connections at once; what comes above is closed at the door.',
  example: 'max_connections: 64k',
}

export const idleTimeout: Key<number> = {
  name: 'idle_timeout',
  origin: 'own',
  type: duration({ least: 0, most: 30 * day }),
  default: '"1h"',
  meaning: 'A connection on which no byte moves for so long is closed. `"0s"`: never.',
  example: 'idle_timeout: "10m"',
}

export const drainTimeout: Key<number> = {
  name: 'drain_timeout',
  aliases: ['lame_duck_duration'],
  origin: 'own',
  type: duration({ least: 0, most: day }),
  default: '"30s"',
  meaning:
    "How long open connections may go on after SIGTERM, or when a policy stops the process. nats-server's name for it is `lame_duck_duration`.",
  example: 'drain_timeout: "2m"',
}

// ---- TLS --------------------------------------------------------------------------------------------------------

export const certFile: Key<string> = {
  name: 'cert_file',
  origin: 'nats-server',
  type: path,
  defaultNote: 'none: needed, or `certs`',
  meaning: 'PEM file with the certificate and its chain, in any order. The one that the key belongs to is served.',
  example: 'cert_file: "server.pem"',
}

export const keyFile: Key<string> = {
  name: 'key_file',
  origin: 'nats-server',
  type: path,
  defaultNote: 'none: needed with `cert_file`',
  meaning: 'PEM file with the private key of `cert_file`.',
  example: 'key_file: "server-key.pem"',
}

export const caFile: Key<string> = {
  name: 'ca_file',
  origin: 'nats-server',
  type: path,
  defaultNote: 'none',
  meaning: 'PEM file with certificates among which issuers are looked for too. They are not sent to clients.',
  example: 'ca_file: "ca.pem"',
}

const pair: Type<Block> = blockOf({ keys: [certFile, keyFile], idle: [] })

export const certs: Key<readonly Located<Block>[]> = {
  name: 'certs',
  aliases: ['certificates'],
  origin: 'nats-server',
  type: listOf(pair, 'certificates'),
  defaultNote: 'none',
  meaning:
    'Several certificates instead of `cert_file`, each with its `cert_file` and `key_file`. Of one name, clients get the one whose key type they can use; those for other names are chosen by the names in them.',
  example:
    'certs: [ { cert_file: "rsa.pem", key_file: "rsa-key.pem" }, { cert_file: "ec.pem", key_file: "ec-key.pem" } ]',
}

export const timeout: Key<number> = {
  name: 'timeout',
  origin: 'nats-server',
  type: duration({ least: 1, most: hour, isSecondsAllowed: true }),
  default: '"2s"',
  meaning:
    'How long a handshake may take. A number counts seconds. It is one for the whole front: that of the default site.',
  example: 'timeout: 5',
}

export const minVersion: Key<'TLSv1.2' | 'TLSv1.3'> = {
  name: 'min_version',
  origin: 'nats-server',
  type: createType('`"1.2"`, `"1.3"`', '"1.2" or "1.3"', (value) => {
    const written = value.kind === 'string' ? value.value : value.source
    const version = /^(?:tls ?v?)?(1\.[0-3])$/i.exec(written)?.[1]
    if (version === '1.2') return 'TLSv1.2'
    if (version === '1.3') return 'TLSv1.3'
    if (version !== undefined)
      return new Mistake(`TLS ${version} is not offered`, 'write "1.2": RFC 8996 ended what came before')
    return new Mistake(`${quote(written)} is not a version of TLS`, 'write "1.2" or "1.3"')
  }),
  default: '"1.2"',
  meaning: 'The oldest version of TLS that is spoken.',
  example: 'min_version: "1.3"',
}

export const cipherSuites: Key<readonly Located<string>[]> = {
  name: 'cipher_suites',
  origin: 'nats-server',
  type: listOf(cipherSuite, 'cipher suites'),
  defaultNote: "Node's own list",
  meaning:
    "The cipher suites offered, by Go's names, best first. Those of TLS 1.3 are on unless some of them are named.",
  example: 'cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]',
}

export const curvePreferences: Key<readonly Located<string>[]> = {
  name: 'curve_preferences',
  origin: 'nats-server',
  type: listOf(curve, 'curves'),
  defaultNote: "Node's own list",
  meaning: "The curves offered for the key exchange, by Go's names, best first.",
  example: 'curve_preferences: ["X25519", "CurveP256"]',
}

export const tls: Key<Block> = {
  name: 'tls',
  origin: 'nats-server',
  type: blockOf({
    keys: [certFile, keyFile, caFile, certs, timeout, minVersion, cipherSuites, curvePreferences],
    idle: idleTlsKeys,
  }),
  defaultNote: 'none: needed here or in `sites`',
  meaning: 'Certificate, key and handshake of the default site.',
  example: 'tls { cert_file: "server.pem", key_file: "server-key.pem", ca_file: "ca.pem" }',
}

// ---- stapling ---------------------------------------------------------------------------------------------------

const modes = ['auto', 'must', 'always', 'never'] as const

export const mode: Key<Mode> = {
  name: 'mode',
  origin: 'nats-server',
  type: oneOf(...modes),
  default: 'auto',
  meaning:
    '`auto` staples certificates with Must-Staple and goes on when one is revoked; `must` staples the same and stops; `always` staples every certificate and stops; `never` staples none.',
  example: 'mode: must',
}

export const url: Key<string> = {
  name: 'url',
  origin: 'nats-server',
  type: httpURL,
  defaultNote: "the certificate's own",
  meaning: 'The responder to ask instead of those that the certificates name. `responders` is the finer tool.',
  example: 'url: "http://ocsp.example.net"',
}

export const urls: Key<readonly Located<string>[]> = {
  name: 'urls',
  origin: 'nats-server',
  type: listOf(httpURL, 'URLs'),
  defaultNote: "the certificate's own",
  meaning: 'Several responders, in the order to ask them. (In nats-server itself no list can be given.)',
  example: 'urls: ["http://ocsp1.example.net", "http://ocsp2.example.net"]',
}

const ocspBlock: Type<Block> = blockOf({ keys: [mode, url, urls], idle: [] })

/** Whether stapling is on, or how in particular. */
export const ocsp: Key<boolean | Block> = {
  name: 'ocsp',
  origin: 'nats-server',
  type: flagOr(ocspBlock, {
    hint: (written) =>
      modes.includes(written.toLowerCase() as Mode) ? `write \`ocsp { mode: ${written} }\`` : undefined,
  }),
  default: 'true',
  meaning: '`true` is `{ mode: auto }`, `false` is `{ mode: never }`.',
  example: 'ocsp { mode: must, url: "http://ocsp.example.net" }',
}

export const storeDir: Key<string> = {
  name: 'store_dir',
  aliases: ['storedir'],
  origin: 'nats-server',
  type: path,
  defaultNote: 'none: staples are kept in memory only',
  meaning:
    'Where staples rest between runs, in its directory `ocsp`, as nats-server has them. Made when the first staple is saved.',
  example: 'store_dir: "/var/lib/staplewright"',
}

/** nats-server has `store` for it too, in this place only. */
export const jetStreamStoreDir: Key<string> = { ...storeDir, aliases: ['storedir', 'store'] }

const jetStreamBlock: Type<Block> = blockOf({
  keys: [jetStreamStoreDir],
  idle: [],
  ignoresUnknown: true,
})

export const jetStream: Key<boolean | Block> = {
  name: 'jetstream',
  origin: 'nats-server',
  type: flagOr(jetStreamBlock, { on: ['enabled', 'enable'], off: ['disabled', 'disable'] }),
  defaultNote: 'none',
  meaning: 'Only its `store_dir` counts here: staples rest there, as with nats-server.',
  example: 'jetstream { store_dir: "/var/lib/nats" }',
}

export const onStart: Key<Policies['onStart']> = {
  name: 'on_start',
  origin: 'own',
  type: oneOf('prefer', 'require', 'exit'),
  defaultNote: '`require` in mode `must`, else `prefer`',
  meaning:
    'Before every staple is in: `prefer` opens the doors after `start_timeout`, `require` stays closed and keeps trying, `exit` ends with code 4 after `start_timeout`.',
  example: 'on_start: require',
}

export const startTimeout: Key<number> = {
  name: 'start_timeout',
  origin: 'own',
  type: duration({ least: 0, most: hour }),
  default: '"5s"',
  meaning: 'How long the start waits for staples.',
  example: 'start_timeout: "10s"',
}

export const onRevoked: Key<Policies['onRevoked']> = {
  name: 'on_revoked',
  origin: 'own',
  type: oneOf('staple', 'withhold', 'stop', 'stop-site'),
  defaultNote: '`stop` in the modes `must` and `always`, else `staple`',
  meaning:
    'When a signed answer says revoked: `staple` it, `withhold` it and staple nothing, `stop` the process in order with code 3, or `stop-site`: serve the other sites on.',
  example: 'on_revoked: withhold',
}

export const onUnknown: Key<Policies['onUnknown']> = {
  name: 'on_unknown',
  origin: 'own',
  type: oneOf('keep', 'staple', 'stop'),
  default: 'keep',
  meaning:
    'When a signed answer says unknown: `keep` the last good staple until it goes stale, `staple` the unknown, or `stop` with code 3.',
  example: 'on_unknown: staple',
}

export const onStale: Key<Policies['onStale']> = {
  name: 'on_stale',
  origin: 'own',
  type: oneOf('unstapled', 'refuse'),
  default: 'unstapled',
  meaning: 'While no staple may be served: shake hands without one, or `refuse` new handshakes on that certificate.',
  example: 'on_stale: refuse',
}

export const siteNames: Key<readonly Located<string>[]> = {
  name: 'names',
  origin: 'own',
  type: listOf(serverName, 'names'),
  defaultNote: 'the DNS names in the certificates',
  meaning: 'The names that lead to this site; `*` may stand for the first label.',
  example: 'names: ["example.net", "*.example.net"]',
}

const site: Type<Block> = blockOf({ keys: [siteNames, tls, backend, onRevoked, onUnknown, onStale], idle: [] })

export const sites: Key<readonly Located<Block>[]> = {
  name: 'sites',
  origin: 'own',
  type: listOf(site, 'sites'),
  defaultNote: 'none: `tls` alone is the one site',
  meaning:
    'Further sites, chosen by the name that a client asks for (SNI). With a `tls` beside them, that is the default site; else the first is. What a site does not say is as at the top.',
  example: 'sites [ { names: ["a.example.net"], tls { cert_file: "a.pem", key_file: "a-key.pem" } } ]',
}

// ---- which answers count, and how responders are asked --------------------------------------------------------------

export const allowedClockSkew: Key<number> = {
  name: 'allowed_clockskew',
  origin: 'own',
  type: duration({ least: 0, most: day }),
  default: '"5m"',
  meaning: "How far in the future a response's thisUpdate may be; at most half of its window counts.",
  example: 'allowed_clockskew: "30s"',
}

export const maxAgeWithoutNextUpdate: Key<number> = {
  name: 'max_age_without_next_update',
  origin: 'own',
  type: duration({ least: second, most: 10 * day }),
  default: '"1h"',
  meaning: 'How long a response counts that does not say when the next one comes.',
  example: 'max_age_without_next_update: "24h"',
}

export const maxValidity: Key<number> = {
  name: 'max_validity',
  origin: 'own',
  type: duration({ least: second, most: 3_650 * day }),
  default: '"10d"',
  meaning: 'A response with a longer window is reported, not refused. Public CAs stay below 10 days.',
  example: 'max_validity: "365d"',
}

export const delegateWithoutNocheck: Key<'accept' | 'refuse' | 'check'> = {
  name: 'delegate_without_nocheck',
  origin: 'own',
  type: oneOf('accept', 'refuse', 'check'),
  default: 'accept',
  meaning:
    "What of a responder's certificate without id-pkix-ocsp-nocheck: `accept` it, `refuse` it, or `check` its own status.",
  example: 'delegate_without_nocheck: refuse',
}

export const maxInterval: Key<number> = {
  name: 'max_interval',
  origin: 'own',
  type: duration({ least: second, most: 30 * day }),
  default: '"12h"',
  meaning: 'The longest time until a responder is asked again, so that a revocation is noticed.',
  example: 'max_interval: "1h"',
}

export const maxStaple: Key<number> = {
  name: 'max_staple',
  origin: 'own',
  type: size(256, 65_536),
  default: '16000',
  meaning: 'A larger response is not stapled. Some clients refuse 16 KiB and more.',
  example: 'max_staple: 8kb',
}

export const privateAddresses: Key<'allow' | 'refuse'> = {
  name: 'private_addresses',
  origin: 'own',
  type: oneOf('allow', 'refuse'),
  default: 'allow',
  meaning: 'Whether responders may have private addresses.',
  example: 'private_addresses: refuse',
}

export const httpProxy: Key<string> = {
  name: 'http_proxy',
  origin: 'own',
  type: proxy,
  default: 'environment',
  meaning:
    'The proxy for requests to responders: a URL, `none`, or what `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.',
  example: 'http_proxy: "http://proxy.example.net:3128"',
}

export const responderURL: Key<readonly Located<string>[]> = {
  name: 'url',
  aliases: ['urls'],
  origin: 'own',
  type: listOf(httpURL, 'URLs'),
  defaultNote: "the certificate's own, or `ocsp { url }`",
  meaning: 'The URL to ask instead, or several in order.',
  example: 'url: "http://10.0.0.7/ocsp"',
}

export const responderCertificate: Key<string> = {
  name: 'certificate',
  origin: 'own',
  type: path,
  defaultNote: 'none',
  meaning: 'PEM file with a certificate whose signature counts for these certificates, though no CA delegated to it.',
  example: 'certificate: "responder.pem"',
}

export const responderHash: Key<'auto' | 'sha1' | 'sha256'> = {
  name: 'hash',
  origin: 'own',
  type: oneOf('auto', 'sha1', 'sha256'),
  default: 'auto',
  meaning:
    'The hash that the certificate is asked about with. Several clients refuse a staple with SHA-256: see defaults.md.',
  example: 'hash: sha1',
}

export const responderMethod: Key<'auto' | 'get' | 'post'> = {
  name: 'method',
  origin: 'own',
  type: oneOf('auto', 'get', 'post'),
  default: 'auto',
  meaning: 'How to ask over HTTP.',
  example: 'method: post',
}

const responder: Type<Block> = blockOf({
  keys: [responderURL, responderCertificate, responderHash, responderMethod],
  idle: [],
})

export const responders: Key<ReadonlyMap<string, Located<Block>>> = {
  name: 'responders',
  origin: 'own',
  type: dictionaryOf(responder, 'issuers or URLs'),
  defaultNote: 'none',
  meaning:
    'How to ask about some certificates: the key is the subject of their issuer, such as `"CN=Example CA,O=Example"`, or the responder URL that they name. An entry for the issuer comes before one for the URL, and both before `ocsp { url }`.',
  example: 'responders { "CN=Example CA,O=Example": { url: "http://10.0.0.7/ocsp", method: post } }',
}

// ---- the log, and what lowers safety ----------------------------------------------------------------------------

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

export const ignoredKeys: Key<readonly Located<string>[]> = {
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

export const danger: Key<Block> = {
  name: 'danger',
  origin: 'own',
  type: blockOf({ keys: [ignoredKeys, allowSha1Signatures], idle: [] }),
  defaultNote: 'nothing',
  meaning: 'What lowers safety stands apart.',
  example: 'danger { ignore: ["verify_and_map"] }',
}

/** The top level, in the order and groups of the reference. */
export const groups: readonly { readonly title: string; readonly keys: readonly Key<unknown>[] }[] = [
  {
    title: 'Where connections come in and go to',
    keys: [listen, host, port, backend, alpn, unknownSni, maxConnections, idleTimeout, drainTimeout],
  },
  { title: 'Certificates', keys: [tls, sites] },
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
  { title: 'The log', keys: [log] },
  { title: 'Danger', keys: [danger] },
]

/** The whole configuration. */
export const configuration: Type<Block> = blockOf({ keys: groups.flatMap((group) => group.keys), idle: idleTopKeys })
