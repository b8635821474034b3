/** How findings name what they speak of: certificates, connections, times. */
import { formatSpan, formatTime } from '../../pki/der/time.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { ConnectionRecord } from '../probe/record.ts'
import type { CertificateEvidence, Evidence, StapleEvidence } from './evidence.ts'
import type { Finding, FindingRule } from './finding.ts'
import { type RefusedVerdict, refusalsOf, type Shown } from './staples.ts'

/** A certificate's subject, or where that is empty its first name. */
export function nameOf({ subject, extensions }: Certificate): string {
  return formatName(subject) || extensions.dnsNames[0] || extensions.ipAddresses[0] || 'a certificate without a name'
}

/** `1 connection`, `3 connections`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** `3 of 10 connections`. */
export function shareOf(count: number, all: number, many = 'connections'): string {
  return `${count} of ${all} ${many}`
}

/** `127.0.0.1 #2, TLSv1.3, ecdsa certificate`. */
export function connectionText({ address, number, offered, handshake }: ConnectionRecord): string {
  const key =
    handshake === undefined ? `offering ${offered.keyFamilies.join(' and ')}` : `${handshake.keyFamily} certificate`
  const name = offered.serverName === undefined ? ', no SNI' : ''
  return `${address} #${number}, ${handshake?.version ?? offered.version}, ${key}${name}`
}

/** At most four of them, and how many there are beside. */
export function connectionLines(connections: readonly (ConnectionRecord | Shown)[], what: string): string[] {
  const lines = connections.slice(0, 4).map((connection) => `${what}: ${connectionText(connection)}`)
  const others = connections.length - lines.length
  return others > 0 ? [...lines, `${what}: ${others} more`] : lines
}

/** `2026-01-02T00:00:00Z (in 5 h 10 min)`. */
export function momentText(moment: Date, at: Date): string {
  const ms = moment.getTime() - at.getTime()
  return `${formatTime(moment)} (${ms >= 0 ? `in ${formatSpan(ms)}` : `${formatSpan(-ms)} ago`})`
}

/** A message of the table of errors as a sentence. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** One line that says which certificate. */
export function certificateLine({ certificate, certificateKey, connections }: CertificateEvidence): string {
  const kind = connections.find(({ handshake }) => handshake !== undefined)?.handshake?.keyFamily ?? 'other'
  const issuer = formatName(certificate.issuer)
  return `certificate: ${nameOf(certificate)} (${kind}), issued by ${issuer}, sha256 ${certificateKey.slice(0, 16)}...`
}

/** Where a staple was seen. */
export function seenLine({ connections }: StapleEvidence): string {
  const addresses = [...new Set(connections.map(({ address }) => address))].join(', ')
  return `seen on ${countOf(connections.length, 'connection')} to ${addresses}`
}

/** Every rule that refused a staple: code, field, both sides, clause. */
export function refusalLines(staple: StapleEvidence): string[] {
  return refusalsOf(staple).map(refusalLine)
}

function refusalLine({ rule, clause, error }: RefusedVerdict): string {
  const { field, expected, found } = error.detail as { field?: string; expected?: string; found?: string }
  const sides = field === undefined ? error.message : `${field}: expected ${expected}, found ${found}`
  return `rule ${rule} (${clause}): ${error.code}: ${sides}`
}

/** A rule that looks at each certificate by itself. */
export function certificateRule(
  codes: FindingRule['codes'],
  find: (seen: CertificateEvidence, evidence: Evidence) => readonly Finding[],
): FindingRule {
  return {
    codes,
    find: (evidence) =>
      evidence.certificates.flatMap((seen) =>
        find(seen, evidence).map((finding) => ({ ...finding, certificateKey: seen.certificateKey })),
      ),
  }
}
