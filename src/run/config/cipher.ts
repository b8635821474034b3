/**
 * Go's names of cipher suites and curves, which nats-server's files use, as Node takes them.
 */

import { findNearest } from './suggestion.ts'
import { createType, Mistake, type Type } from './type.ts'
import { quote, type Value } from './value.ts'

/** One cipher suite, by Go's name; the value is OpenSSL's. */
export const cipherSuite: Type<string> = createType('cipher suite', "a cipher suite, by Go's name", (value) =>
  translate(value, cipherSuites, 'cipher suite', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
)

/** One curve, by Go's name; the value is OpenSSL's. */
export const curve: Type<string> = createType('curve', "a curve, by Go's name", (value) =>
  translate(value, curves, 'curve', 'X25519'),
)

/** Puts suites together as Node's `ciphers`. Those of TLS 1.3 are always on, as in Go; without one, Node would turn 1.3 off. */
export function joinCipherSuites(suites: readonly string[]): string {
  const named = suites.filter((suite) => suite.startsWith('TLS_'))
  const older = suites.filter((suite) => !suite.startsWith('TLS_'))
  return [...(named.length > 0 ? named : tls13Suites), ...older].join(':')
}

function translate(
  value: Value,
  names: Readonly<Record<string, string>>,
  what: string,
  example: string,
): string | Mistake {
  if (value.kind !== 'string') return new Mistake(`not the name of a ${what}`, `write a name such as ${quote(example)}`)
  const known = names[value.value.toUpperCase()]
  if (known !== undefined) return known
  const weak = /RC4|3DES/i.test(value.value)
  if (weak) return new Mistake(`the ${what} ${quote(value.value)} is broken and not offered`, 'leave it out')
  const written = Object.keys(names).find((name) => names[name]?.toUpperCase() === value.value.toUpperCase())
  const near = written ?? findNearest(value.value.toUpperCase(), Object.keys(names))
  return new Mistake(
    `the ${what} ${quote(value.value)} is not known`,
    near === undefined ? `write a name such as ${quote(example)}` : `did you mean ${spell(near)}?`,
  )
}

/** Curves have lower-case letters in Go. */
function spell(name: string): string {
  return name.replace(/^CURVE/, 'Curve')
}

const tls13Suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

const cipherSuites: Readonly<Record<string, string>> = {
  ...Object.fromEntries(tls13Suites.map((name) => [name, name])),
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
}

const curves: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  CURVEP256: 'P-256',
  CURVEP384: 'P-384',
  CURVEP521: 'P-521',
  X25519MLKEM768: 'X25519MLKEM768',
}
