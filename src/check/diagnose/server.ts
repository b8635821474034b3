/**
 * Which server it is, by its habits: a banner is one sign, for proxies pass on those of others. Every sign has a weight;
 * what staples as only one server does counts more than what it calls itself.
 */
import type { TlsVersion } from '../probe/record.ts'
import type { CertificateEvidence, Evidence, StapleEvidence } from './evidence.ts'
import { type ServerKind, serverKinds } from './finding.ts'
import { isStapled, refusalCodes, refusalOf, shownOn, verifiedStaples } from './staples.ts'

/** A server that it may be. */
export interface RankedServer {
  readonly kind: ServerKind
  readonly weight: number
  readonly because: readonly string[]
}

/** The server that it seems to be; undefined where the signs do not say, or two are as likely. */
export function recogniseServer(evidence: Evidence): Pick<RankedServer, 'kind' | 'because'> | undefined {
  const [first, second] = rankServers(evidence)
  if (first === undefined || first.weight < 2 || first.weight === second?.weight) return undefined
  return { kind: first.kind, because: first.because }
}

/** All that some sign speaks for, the likeliest first. */
export function rankServers(evidence: Evidence): RankedServer[] {
  const signs = [...bannerSigns(evidence), ...evidence.certificates.flatMap(habitSigns)]
  return serverKinds
    .flatMap((kind) => {
      const own = signs.filter((sign) => sign.kind === kind)
      const because = [...new Map(own.map((sign) => [sign.because, sign])).values()]
      if (because.length === 0) return []
      const weight = because.reduce((sum, sign) => sum + sign.weight, 0)
      return [{ kind, weight, because: because.map((sign) => sign.because) }]
    })
    .sort((one, other) => other.weight - one.weight)
}

interface Sign {
  readonly kind: ServerKind
  readonly weight: number
  readonly because: string
}

const banners: readonly (readonly [RegExp, ServerKind])[] = [
  [/^(nginx|openresty|angie|tengine)\b/i, 'nginx'],
  [/^apache\b(?!-)/i, 'apache'],
  [/^microsoft-(iis|httpapi)\b/i, 'iis'],
  [/^haproxy\b/i, 'haproxy'],
  [/^caddy\b/i, 'caddy'],
  [/^lighttpd\b/i, 'lighttpd'],
  [/^(node|express)\b/i, 'node'],
]

function bannerSigns({ record }: Evidence): Sign[] {
  const signs: Sign[] = []
  const banner = record.http?.server ?? ''
  for (const [pattern, kind] of banners) {
    if (pattern.test(banner)) signs.push({ kind, weight: 2, because: `the Server header says ${banner.slice(0, 60)}` })
  }
  const greeting = record.connections.find(({ greeting: text }) => text !== undefined)?.greeting ?? ''
  if (/^INFO \{/.test(greeting)) {
    signs.push({ kind: 'nats-server', weight: 5, because: 'it opens with the INFO of the NATS protocol' })
  }
  return signs
}

function habitSigns(seen: CertificateEvidence): Sign[] {
  return [...warmingSigns(seen), ...cipherSigns(seen), ...seen.staples.flatMap(stapleSigns), ...revokedSigns(seen)]
}

/** Offered AES-256 first, OpenSSL takes it as a rule; Go does not, and Node does not in TLS 1.2. Tried on Debian's. */
function cipherSigns(seen: CertificateEvidence): Sign[] {
  const takes128 = (version: TlsVersion) =>
    shownOn(seen).some(({ handshake }) => handshake.version === version && /AES_128_GCM/.test(handshake.cipher))
  if (takes128('TLSv1.3')) {
    const because = 'it takes AES-128 in TLS 1.3 though AES-256 is offered first, as programs in Go do'
    return [
      { kind: 'caddy', weight: 1, because },
      { kind: 'nats-server', weight: 1, because },
    ]
  }
  if (!takes128('TLSv1.2')) return []
  return [{ kind: 'node', weight: 1, because: 'it takes AES-256 in TLS 1.3 and AES-128 in TLS 1.2, as Node does' }]
}

/** nginx asks after a worker's first handshake, so the misses end. */
function warmingSigns(seen: CertificateEvidence): Sign[] {
  if (!isWarmedUp(seen)) return []
  return [{ kind: 'nginx', weight: 3, because: 'the first connections went without a staple and the last did not' }]
}

/** Tells whether on some address the first connection that showed it missed the staple, and the last had it. */
export function isWarmedUp(seen: CertificateEvidence): boolean {
  const shown = shownOn(seen)
  return [...new Set(shown.map(({ address }) => address))].some((address) => {
    const own = shown.filter((connection) => connection.address === address).sort((a, b) => a.number - b.number)
    const first = own[0]
    const last = own.at(-1)
    return first !== undefined && last !== undefined && !isStapled(first) && isStapled(last)
  })
}

/** Who passes on what others refuse. Facts: tried against Debian's packages, and read in their sources. */
function stapleSigns(staple: StapleEvidence): Sign[] {
  const codes = refusalCodes(staple)
  switch (refusalOf(staple)) {
    case 'error-status':
      return [{ kind: 'apache', weight: 4, because: 'it staples an error status, as only Apache does' }]
    case 'stale':
      return [
        { kind: 'caddy', weight: 1, because: 'it staples a stale response, as Caddy does' },
        { kind: 'nginx', weight: 1, because: 'it staples a stale response, as nginx does out of a file' },
      ]
    case 'other':
      if (codes.has('ERR_OCSP_CERT_ID_MISMATCH')) {
        const because = 'it staples a response about another certificate, as it does not compare serial numbers'
        return [
          { kind: 'caddy', weight: 1, because },
          { kind: 'nats-server', weight: 1, because },
        ]
      }
      if (codes.has('ERR_OCSP_SIGNATURE')) {
        return [{ kind: 'apache', weight: 1, because: 'it staples a response without verifying its signature' }]
      }
      return []
    default:
      return []
  }
}

/** nginx and Caddy keep the last good one instead. */
function revokedSigns(seen: CertificateEvidence): Sign[] {
  if (!verifiedStaples(seen).some(({ verified }) => verified.certStatus === 'revoked')) return []
  const because = 'it staples a revocation'
  return [
    { kind: 'apache', weight: 1, because },
    { kind: 'haproxy', weight: 1, because },
  ]
}
