/**
 * The cipher suites and groups of TLS 1.2 by what they need of a certificate, and which of them a server is set to take.
 *
 * OpenSSL does not tell which suites a context has, so Node's own list is written down here: the test asks OpenSSL.
 */

/** Numbers of a TLS registry by OpenSSL's names. */
export interface Registry {
  readonly byName: ReadonlyMap<string, number>
  /** What Node's defaults have. */
  readonly usual: ReadonlySet<number>
  /** And what a server can be set to take besides. */
  readonly all: ReadonlySet<number>
}

/** Signed by an EC key or one of an Edwards curve. */
export const ecdsaSuites: Registry = registry(
  {
    'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
    'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
    'ECDHE-ECDSA-CHACHA20-POLY1305': 0xcca9,
    'ECDHE-ECDSA-AES128-SHA256': 0xc023,
    'ECDHE-ECDSA-AES256-SHA384': 0xc024,
    'ECDHE-ECDSA-AES128-SHA': 0xc009,
    'ECDHE-ECDSA-AES256-SHA': 0xc00a,
    'ECDHE-ECDSA-AES128-CCM': 0xc0ac,
    'ECDHE-ECDSA-AES256-CCM': 0xc0ad,
    'ECDHE-ECDSA-ARIA128-GCM-SHA256': 0xc05c,
    'ECDHE-ECDSA-ARIA256-GCM-SHA384': 0xc05d,
  },
  {
    'ECDHE-ECDSA-AES128-CCM8': 0xc0ae,
    'ECDHE-ECDSA-AES256-CCM8': 0xc0af,
    'ECDHE-ECDSA-CAMELLIA128-SHA256': 0xc072,
    'ECDHE-ECDSA-CAMELLIA256-SHA384': 0xc073,
  },
)

/** Signed by an RSA key. */
export const rsaSuites: Registry = registry(
  {
    'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
    'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
    'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
    'ECDHE-RSA-AES128-SHA256': 0xc027,
    'ECDHE-RSA-AES256-SHA384': 0xc028,
    'ECDHE-RSA-AES128-SHA': 0xc013,
    'ECDHE-RSA-AES256-SHA': 0xc014,
    'ECDHE-ARIA128-GCM-SHA256': 0xc060,
    'ECDHE-ARIA256-GCM-SHA384': 0xc061,
  },
  { 'ECDHE-RSA-CAMELLIA128-SHA256': 0xc076, 'ECDHE-RSA-CAMELLIA256-SHA384': 0xc077 },
)

/** Encrypted to an RSA key: no group is agreed on. */
export const rsaTransportSuites: Registry = registry(
  {
    'AES128-GCM-SHA256': 0x9c,
    'AES256-GCM-SHA384': 0x9d,
    'AES128-SHA256': 0x3c,
    'AES256-SHA256': 0x3d,
    'AES128-SHA': 0x2f,
    'AES256-SHA': 0x35,
    'AES128-CCM': 0xc09c,
    'AES256-CCM': 0xc09d,
    'ARIA128-GCM-SHA256': 0xc050,
    'ARIA256-GCM-SHA384': 0xc051,
  },
  { 'AES128-CCM8': 0xc0a0, 'AES256-CCM8': 0xc0a1, 'CAMELLIA128-SHA': 0x41, 'CAMELLIA256-SHA': 0x84 },
)

/** The groups in which TLS 1.2 exchanges keys. */
export const groups: Registry = registry(
  { X25519: 29, 'P-256': 23, prime256v1: 23, X448: 30, 'P-384': 24, secp384r1: 24, 'P-521': 25, secp521r1: 25 },
  {},
)

/**
 * What a server is set to take of a registry.
 *
 * @param setting - Node's `ciphers` or `ecdhCurve`: names with colons between them. Where it says more than names that are known
 *   here (`HIGH:!aNULL`), all are taken for possible
 */
export function pick(registry: Registry, setting: string | undefined): ReadonlySet<number> {
  if (setting === undefined || setting === 'auto') return registry.usual
  const names = setting.split(':')
  if (!names.every((name) => isPlain(name))) return registry.all
  return new Set(names.flatMap((name) => registry.byName.get(name) ?? []))
}

function isPlain(name: string): boolean {
  // The suites of TLS 1.3 and the groups that only it has say nothing about TLS 1.2.
  if (name.startsWith('TLS_') || name.includes('MLKEM')) return true
  return [ecdsaSuites, rsaSuites, rsaTransportSuites, groups].some(({ byName }) => byName.has(name))
}

function registry(usual: Readonly<Record<string, number>>, rare: Readonly<Record<string, number>>): Registry {
  const byName = new Map(Object.entries({ ...usual, ...rare }))
  return { byName, usual: new Set(Object.values(usual)), all: new Set(byName.values()) }
}
