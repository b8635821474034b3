/** Keys of a `tls` block: certificates, and how to shake hands with them. */
import { cipherSuite, curve } from './cipher.ts'
import { idleTlsKeys } from './idle-keys.ts'
import { ocspPeer } from './peer-keys.ts'
import { count, duration, flag, path, readDuration } from './scalar.ts'
import { type Block, blockOf, createType, type Key, type Located, listOf, Mistake, type Type } from './type.ts'
import { quote } from './value.ts'

const second = 1_000
const hour = 3_600 * second
/** nats-server's. */
const autoFallbackMs = 50
const pinAdvice =
  'openssl x509 -in CERT -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 shows it'

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
  meaning:
    "PEM file with certificates among which issuers are looked for too, and with `verify` the CAs that clients' certificates must come from. They are not sent to clients.",
  example: 'ca_file: "ca.pem"',
}

export const keyPassphraseFile: Key<string> = {
  name: 'key_passphrase_file',
  origin: 'own',
  type: path,
  defaultNote: 'none: the key is not encrypted',
  meaning: 'File with one line: the passphrase that `key_file` is encrypted with.',
  example: 'key_passphrase_file: "/run/secrets/server-key.txt"',
}

const pair: Type<Block> = blockOf({ keys: [certFile, keyFile, keyPassphraseFile], idle: [] })

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

export const certDir: Key<string> = {
  name: 'cert_dir',
  origin: 'own',
  type: path,
  defaultNote: 'none',
  meaning:
    'A directory of certificates instead of `cert_file`, chosen by the names in them: `NAME.pem` with `NAME-key.pem`, `NAME.crt` with `NAME.key`, `NAME/tls.crt` with `NAME/tls.key`. The first by name is the default. Those that come later are found at the next reload.',
  example: 'cert_dir: "/etc/staplewright/certs"',
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

export const verify: Key<boolean> = {
  name: 'verify',
  origin: 'nats-server',
  type: flag,
  default: 'false',
  meaning:
    'Ask clients for a certificate, and let in only those with one from the CAs in `ca_file`, which is then needed.',
  example: 'verify: true',
}

export const pinnedCerts: Key<readonly Located<string>[]> = {
  name: 'pinned_certs',
  origin: 'nats-server',
  type: listOf(
    createType('SHA-256', '64 hex digits: the SHA-256 of a public key (SubjectPublicKeyInfo)', (value) => {
      const written = value.kind === 'string' ? value.value : value.source
      if (/^[0-9a-f]{64}$/i.test(written)) return written.toLowerCase()
      const bare = written.replace(/[:\s]/g, '')
      return new Mistake(
        `${quote(written)} is not a SHA-256`,
        /^[0-9a-f]{64}$/i.test(bare) ? `write ${quote(bare.toLowerCase())}` : pinAdvice,
      )
    }),
    'SHA-256',
    true,
  ),
  defaultNote: 'none: any client with a certificate from `ca_file`',
  meaning: 'With `verify`: the SHA-256 of the public keys (SubjectPublicKeyInfo) of the clients that alone are let in.',
  example: 'pinned_certs: ["7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"]',
}

export const connectionRateLimit: Key<number> = {
  name: 'connection_rate_limit',
  origin: 'nats-server',
  type: count(0, 1_000_000),
  default: '0',
  meaning:
    'New connections per second; what comes above is closed at the door. 0: no limit. It is one for the whole front: that of the default site.',
  example: 'connection_rate_limit: 500',
}

/** Whether TLS comes before INFO; milliseconds: how long a client may take to begin it before INFO is sent. */
export const handshakeFirst: Key<boolean | number> = {
  name: 'handshake_first',
  aliases: ['first', 'immediate'],
  origin: 'nats-server',
  type: createType('boolean, `auto`, or duration', 'true, false, auto, or a duration such as "300ms"', (value) => {
    if (value.kind === 'boolean') return value.value
    const word = value.kind === 'string' ? value.value.toLowerCase() : undefined
    if (word === 'true' || word === 'on') return true
    if (word === 'false' || word === 'off') return false
    if (word === 'auto' || word === 'auto_fallback') return autoFallbackMs
    return readDuration(value, { least: 1, most: hour })
  }),
  defaultNote: '`false` with `protocol: nats`; else TLS always comes first',
  meaning:
    'With `protocol: nats`: `true` begins with TLS and sends INFO inside, `false` sends INFO first, `auto` or a duration waits so long (`auto`: 50 ms) for the client to begin with TLS, then sends INFO. It is one for the whole front: that of the default site.',
  example: 'handshake_first: auto',
}

export const tls: Key<Block> = {
  name: 'tls',
  origin: 'nats-server',
  type: blockOf({
    keys: [
      ...[certFile, keyFile, keyPassphraseFile, caFile, certs, certDir, verify, pinnedCerts, ocspPeer],
      ...[timeout, minVersion, cipherSuites, curvePreferences, handshakeFirst, connectionRateLimit],
    ],
    idle: idleTlsKeys,
  }),
  defaultNote: 'none: needed here or in `sites`',
  meaning: 'Certificate, key and handshake of the default site.',
  example: 'tls { cert_file: "server.pem", key_file: "server-key.pem", ca_file: "ca.pem" }',
}
