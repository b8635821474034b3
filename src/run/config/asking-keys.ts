/** Keys about asking responders, and which answers count. */
import { httpURL, proxy } from './address.ts'
import { duration, oneOf, path, size } from './scalar.ts'
import { type Block, blockOf, dictionaryOf, type Key, type Located, listOf, type Type } from './type.ts'

const second = 1_000
const hour = 3_600 * second
const day = 24 * hour

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
    "What of a responder's certificate without id-pkix-ocsp-nocheck: `accept` it, `refuse` it, or `check` its own status: its responder is asked, else its CRL; of whom nothing can be learned counts.",
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
