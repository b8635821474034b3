/**
 * Which remedies a finding carries: those of the server that is probably there first, then the others', for a guess may
 * be wrong and a proxy may stand before.
 */
import type { CertificateEvidence, Evidence } from './evidence.ts'
import type { Remedy, ServerKind } from './finding.ts'
import { apache } from './remedies/apache.ts'
import { caddy } from './remedies/caddy.ts'
import type { RemedyFacts, ServerRemedies, Trouble } from './remedies/contract.ts'
import { haproxy } from './remedies/haproxy.ts'
import { iis } from './remedies/iis.ts'
import { lighttpd } from './remedies/lighttpd.ts'
import { natsServer } from './remedies/nats-server.ts'
import { nginx } from './remedies/nginx.ts'
import { node } from './remedies/node.ts'
import { certificateFile, fetchInto, stapleFile } from './remedies/places.ts'
import { rankServers } from './server.ts'

/** All that are known, by how many there are of them. */
const servers: readonly ServerRemedies[] = [nginx, apache, iis, haproxy, caddy, natsServer, lighttpd, node]

/** What every known server needs for a trouble, the likely ones first. */
export function remediesFor(trouble: Trouble, evidence: Evidence, seen?: CertificateEvidence): Remedy[] {
  const facts = factsOf(evidence, seen)
  const ranked = rankServers(evidence).map(({ kind }) => kind)
  const place = ({ kind }: ServerRemedies) => (ranked.includes(kind) ? ranked.indexOf(kind) : ranked.length)
  const known = [...servers]
    .sort((one, other) => place(one) - place(other))
    .filter(({ kind }) => isThinkable(kind, evidence))
    .flatMap((server) => server[trouble]?.(facts) ?? [])
  return [...known, ...startTlsRemedies(trouble, evidence, facts)]
}

/** Those of one server alone. */
export function remedyOf(kind: ServerKind, trouble: Trouble, evidence: Evidence, seen?: CertificateEvidence): Remedy[] {
  const server = servers.find((each) => each.kind === kind)
  return [server?.[trouble]?.(factsOf(evidence, seen)) ?? []].flat()
}

/** For a machine without a way out: fetch the staple elsewhere, and drop it into the store, which notices it. */
export function carryIn(evidence: Evidence, seen: CertificateEvidence): Remedy {
  const facts = factsOf(evidence, seen)
  const key = seen.certificateKey
  return {
    kind: 'commands',
    text: `If the server's machine has no way out: fetch the staple on one that has, as often as a third of its life, and drop it into store_dir/ocsp of \`staplewright serve\` (or of nats-server). The file's name is the SHA-256 of the certificate; Staplewright verifies it and takes it without a restart.`,
    lines: [
      `staplewright fetch ${certificateFile(facts)} --out ${key}`,
      `scp ${key} ${facts.name}:/var/lib/staplewright/ocsp/${key}`,
    ],
  }
}

function factsOf({ record }: Evidence, seen: CertificateEvidence | undefined): RemedyFacts {
  const { target } = record
  const host = hostOf(seen?.certificate.extensions.responderURLs[0])
  return {
    // A target is what somebody typed, a name in a certificate what somebody else did: neither may end a quote.
    name: (target.serverName ?? target.host).replace(/[^\w.-]/g, '_'),
    certificateKey: seen?.certificateKey ?? 'CERTIFICATE_KEY',
    ...(host === undefined ? {} : { responderHost: host }),
  }
}

function hostOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

/** A mail server is told nothing of registries. */
function isThinkable(kind: ServerKind, { record }: Evidence): boolean {
  const { starttls } = record.target
  if (starttls === undefined) return true
  return starttls === 'nats' && kind === 'nats-server'
}

/** Who begins in clear: of them, only Exim and nats-server can staple. */
function startTlsRemedies(trouble: Trouble, { record }: Evidence, facts: RemedyFacts): Remedy[] {
  const { starttls } = record.target
  if (starttls === undefined || starttls === 'nats') return []
  if (trouble === 'sendChain')
    return [{ text: 'Let the certificate file hold the leaf first, then its intermediates.' }]
  if (starttls !== 'smtp') {
    return [
      {
        text: 'Most servers of this protocol cannot staple at all. Where clients insist on it, let them use a port with TLS from the first byte, and put one before it that staples, as `staplewright serve`.',
      },
    ]
  }
  return [
    {
      kind: 'configuration',
      text: `Exim staples out of a file, and notices a new one by itself: \`${fetchInto(facts)}\`, every few hours. Postfix cannot staple.`,
      lines: [`tls_ocsp_file = DER ${stapleFile(facts)}`],
    },
  ]
}
