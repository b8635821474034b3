/**
 * What a configuration means once it is read: typed, with every default applied and every file loaded.
 *
 * Types only. `loadConfig` (load.ts) makes them; the daemon builds its doors from them and looks at no file itself.
 */

import type { Certificate } from '../../pki/x509/certificate.ts'
import type { Mode, Policies } from '../../serve/attach/policy.ts'

import type { Source } from './source.ts'

export type { Mode, Policies }

/** A whole configuration. */
export interface Settings {
  /** Absolute path of the file that was read. */
  readonly file: string
  /** Every file the configuration is made of: itself, included files, certificates, keys, passphrases, CAs. What a reload would watch. */
  readonly files: readonly string[]
  /** What was read of them. */
  readonly sources: ReadonlyMap<string, Source>
  /** Relative paths were resolved against it. */
  readonly workingDirectory: string
  readonly listeners: readonly ListenerSettings[]
  /** At least one; the first is the default. */
  readonly sites: readonly SiteSettings[]
  /** The backend of sites that name none; absent only when every site names its own. */
  readonly backend?: BackendSettings
  readonly protocol: 'tcp' | 'nats'
  readonly nats: NatsSettings
  readonly alpn: readonly string[]
  readonly unknownSni: 'default' | 'refuse'
  /** Networks, as `192.0.2.0/24` or `2001:db8::/32`; an address alone is written with its full length. */
  readonly acceptProxyProtocol: readonly string[]
  readonly sendProxyProtocol?: 'v1' | 'v2'
  /** Processes that serve; `auto` in the file is as many as there are cores. */
  readonly workers: number
  readonly admin: AdminSettings

  readonly mode: Mode
  readonly policies: Policies
  readonly startTimeoutMs: number
  /** How long before its end a certificate is replaced even by one without a staple. */
  readonly gateMarginMs: number

  /** Absolute; absent: staples are kept in memory only. */
  readonly storeDir?: string
  readonly keeper: KeeperSettings
  readonly verify: VerifySettings
  readonly fetch: FetchSettings
  /** Absent where no CA is asked about clients. */
  readonly peerCache?: PeerCacheSettings
  readonly responderRules: readonly ResponderRule[]
  readonly timeouts: TimeoutSettings
  readonly limits: LimitSettings
  readonly log: LogSettings
}

/** One address to listen on; port 0 lets the system choose. */
export interface ListenerSettings {
  readonly host: string
  readonly port: number
}

/** What is served under some names. */
export interface SiteSettings {
  /** As SNI names them, `*.example.net` included: those of `names`, else the DNS names of the certificates. May be empty for the default site. */
  readonly names: readonly string[]
  /** One per key type. */
  readonly certificates: readonly CertificateSettings[]
  readonly backend: BackendSettings
  readonly mode: Mode
  readonly policies: Policies
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** OpenSSL's names, as Node's `ciphers` takes them; absent: Node's default. */
  readonly ciphers?: string
  /** As Node's `ecdhCurve` takes them; absent: Node's default. */
  readonly ecdhCurve?: string
  /** Clients must show a certificate from these CAs. */
  readonly clientAuth?: ClientAuthSettings
}

/** `tls { verify, ca_file, pinned_certs }`. */
export interface ClientAuthSettings {
  readonly caPem: string
  /** Lower-case hex SHA-256 of public keys (SubjectPublicKeyInfo); absent: any. */
  readonly pinnedKeys?: readonly string[]
  /** CAs are asked about clients. */
  readonly ocspPeer?: OcspPeerSettings
}

/** `tls { ocsp_peer }` that is on. */
export interface OcspPeerSettings {
  readonly caTimeoutMs: number
  readonly allowedClockSkewMs: number
  readonly maxAgeWithoutNextUpdateMs: number
  readonly isWarnOnly: boolean
  readonly isUnknownGood: boolean
  readonly isUnreachableAllowed: boolean
  readonly whenNoResponder: 'allow' | 'refuse'
  readonly revocation: 'ocsp' | 'crl' | 'ocsp-then-crl'
  /** 0: never. */
  readonly recheckMs: number
}

/** An entry of `responders`, for certificates that are only met later. */
export interface ResponderRule {
  /** The subject of an issuer or a responder URL, in a form to compare by: see `findResponderRule`. */
  readonly key: string
  readonly isURL: boolean
  readonly responderURLs?: readonly string[]
  readonly hashAlgorithm?: 'sha1' | 'sha256'
  readonly method?: 'get' | 'post'
  /** DER. */
  readonly responderCertificate?: Uint8Array
}

/** `ocsp_cache`. */
export type PeerCacheSettings =
  | { readonly type: 'none' }
  | {
      readonly type: 'local'
      /** Absolute; `cache.json` is in it. */
      readonly directory: string
      readonly isRevokedPreserved: boolean
      readonly saveIntervalMs: number
    }

/** Where connections are passed on to: several addresses serve the same. */
export interface BackendSettings {
  /** Each `tcp://host:port` or `tls://host:port`; at least one. */
  readonly urls: readonly string[]
  /** The CAs of `tls://` backends; absent: Node's. */
  readonly caPem?: string
  /** The name that `tls://` backends must prove; absent: the URL's host. */
  readonly serverName?: string
  readonly isUnverified: boolean
}

/** `protocol: nats`. */
export interface NatsSettings {
  readonly handshake: 'after-info' | 'first' | { readonly waitMs: number }
  /** `host:port`s that clients are told of instead of the backends. */
  readonly advertise: readonly string[]
}

/** Where the daemon can be asked about itself. */
export interface AdminSettings {
  /** The HTTP port; absent: none. */
  readonly http?: ListenerSettings
  /** Absolute path of the Unix socket: in `store_dir`, else in a runtime directory, which may have to be made. */
  readonly socket: string
}

/** One certificate with its key, read and checked. */
export interface CertificateSettings {
  /** The leaf first, then what the file has besides, in PEM. */
  readonly chainPem: string
  /** Decrypted already, if it was encrypted; empty when the configuration is only looked at. */
  readonly keyPem: string
  readonly leaf: Certificate
  /** Lower-case hex SHA-256 of the leaf's DER. */
  readonly certificateKey: string
  /** Where its issuer may be: the rest of the bundle and `ca_file`, in any order. */
  readonly candidates: readonly Certificate[]
  /** Absolute. */
  readonly certFile: string
  readonly keyFile: string
  /** What logs call it: the path as written. */
  readonly label: string
  /** Asked instead of the certificate's own (AIA) URLs: `ocsp.url`, `ocsp.urls`, or the matching entry of `responders`. */
  readonly responderURLs?: readonly string[]
  readonly hashAlgorithm: 'auto' | 'sha1' | 'sha256'
  readonly method: 'auto' | 'get' | 'post'
  /** A locally trusted responder, of the matching entry of `responders`. */
  readonly responderCertificate?: Certificate
}

/** When the keeper asks, and how large a staple may be. */
export interface KeeperSettings {
  readonly maxIntervalMs: number
  readonly maxStapleBytes: number
}

/** How strictly a response is judged. */
export interface VerifySettings {
  readonly allowedClockSkewMs: number
  readonly maxAgeWithoutNextUpdateMs: number
  readonly maxValidityMs: number
  readonly delegateWithoutNocheck: 'accept' | 'refuse' | 'check'
  readonly danger: { readonly allowSha1Signatures: boolean }
}

/** How responders are reached. */
export interface FetchSettings {
  readonly privateAddresses: 'allow' | 'refuse'
  /** A proxy's URL, `environment` (HTTP_PROXY and NO_PROXY) or `none`. */
  readonly proxy: string
}

/** How long things may take. */
export interface TimeoutSettings {
  readonly handshakeTimeoutMs: number
  /** 0: never. */
  readonly idleTimeoutMs: number
  readonly drainTimeoutMs: number
}

/** How much there may be at once. */
export interface LimitSettings {
  readonly maxConnections: number
  /** New connections per second; absent: no limit. */
  readonly connectionRateLimit?: number
}

/** What the log shows, and how. */
export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** `auto`: `text` on a terminal, else `json`. */
  readonly format: 'auto' | 'text' | 'json'
}

/** Something worth saying that is no error: a key of nats-server's that means nothing here, a key given twice. */
export interface Notice {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The key, as `cluster`. */
  readonly path: string
  readonly message: string
}

/** What the command line and the surroundings add to a file. */
export interface LoadOptions {
  /** `--listen`: replaces the file's `listen`, `host` and `port`. */
  readonly listen?: string
  /** `--backend`: one URL, or several with commas between; replaces the file's top-level `backend`. */
  readonly backend?: string
  /** Where `$NAME` is looked up last. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What relative paths are relative to. */
  readonly workingDirectory: string
  /** Configuration files that are not read again but taken to hold this: certificates alone are read anew. */
  readonly texts?: ReadonlyMap<string, Uint8Array>
  /** The moment to judge certificates at; default now. */
  readonly at?: Date
  /**
   * `look`: only to know what the front shows, as anybody may who can read the file. Private keys are not read, an expired
   * certificate and a store that cannot be written are not refused; settings of it cannot be served. Default `serve`.
   */
  readonly purpose?: 'serve' | 'look'
}

/** A configuration that is fit to start with. */
export interface LoadedConfig {
  readonly settings: Settings
  readonly notices: readonly Notice[]
}
