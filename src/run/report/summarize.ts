/** An examination as plain data: what was seen and found, without the objects that it was found with. */
import type { LiveEvidence } from '../../check/diagnose/evidence.ts'
import type { Examination } from '../../check/examine.ts'
import type { ConnectionRecord } from '../../check/probe/record.ts'
import type { StatusAnswer } from '../../check/revocation/contract.ts'
import type { StapleError } from '../../errors.ts'
import { printableLines } from '../../pki/der/text.ts'
import { formatSpan } from '../journal/span.ts'
import { describeCertificate } from './certificate.ts'
import { plain, plainError } from './plain.ts'
import type {
  AnswerReport,
  CertificateReport,
  CheckReport,
  ConnectionReport,
  FindingReport,
  TargetReport,
} from './shape.ts'
import { compareSeverity, reasonsOf, worstOf } from './verdict.ts'

/** Puts the targets of one run together; `unchecked` were not looked at any more. */
export function summarizeRun(
  targets: readonly TargetReport[],
  { at, elapsedMs, unchecked }: Pick<CheckReport, 'at' | 'elapsedMs' | 'unchecked'>,
): CheckReport {
  const worst = worstOf(targets.map(({ verdict }) => verdict))
  const verdict = unchecked > 0 && worst !== 'critical' ? 'unknown' : worst
  return { verdict, because: reasonsOf(targets), at, elapsedMs: round(elapsedMs), unchecked, targets }
}

/** Puts down one examination. */
export function summarize({ target, evidence, findings, severity, server, notes }: Examination): TargetReport {
  const { record, at } = evidence
  const { host, port, serverName, starttls } = target
  const keys = new Map<string, string>()
  for (const { connections, certificateKey } of evidence.certificates) {
    for (const connection of connections) keys.set(nameOf(connection), certificateKey)
  }
  const certificates = evidence.certificates.map((each) => ({
    ...describeCertificate(each),
    ...(each.live && { live: describeLive(each.live) }),
  }))
  const told = findings.map((each) => plain(each) as FindingReport).toSorted(bySeverity)
  return {
    target: printableLines(target.label),
    host,
    port,
    ...(serverName !== undefined && serverName !== host && { serverName }),
    ...(starttls && { starttls }),
    verdict: severity,
    because: describeUnseen(record, severity, target.label) ?? describeReason(severity, told, certificates, at),
    at,
    elapsedMs: round(record.elapsedMs),
    ...(server && { server: plain(server) as NonNullable<TargetReport['server']> }),
    addresses: record.addresses,
    connections: record.connections.map((each) => describeConnection(each, keys.get(nameOf(each)))),
    certificates,
    findings: told,
    notes: notes.map(printableLines),
    ...(record.failure && { error: plainError(record.failure) }),
  }
}

/** Why nothing was seen at all: the first cause in its own words, which say more than a finding's title. */
function describeUnseen(
  { failure, connections }: Examination['evidence']['record'],
  severity: TargetReport['verdict'],
  label: string,
): string | undefined {
  if (severity !== 'unknown' || connections.some(({ handshake }) => handshake)) return undefined
  const cause = failure ?? connections.find((each) => each.failure)?.failure
  const [first = ''] = cause?.message.split('\n') ?? []
  // The line begins with the target already, where that is an address or a name alone.
  return cause && printableLines(first.startsWith(`${label}: `) ? first.slice(label.length + 2) : first)
}

/** The worst finding in one line; where all is well, what holds and for how long. */
function describeReason(
  severity: TargetReport['verdict'],
  findings: readonly FindingReport[],
  certificates: readonly CertificateReport[],
  at: Date,
): string {
  const [worst, ...others] = findings
  if (severity !== 'ok') {
    const bad = others.filter((each) => each.severity !== 'info' && each.severity !== 'ok')
    const title = (worst?.title ?? 'nothing could be learned').split('\n')[0]
    return bad.length === 0 ? `${title}` : `${title}; and ${bad.length} more`
  }
  const connections = certificates.reduce((sum, each) => sum + each.connections, 0)
  const stapled = certificates.reduce((sum, each) => sum + each.stapled, 0)
  if (stapled === 0) return findings.find((each) => each.severity === 'info')?.title ?? 'nothing is wrong'
  const ends = certificates.flatMap(({ staples }) =>
    staples.map(({ usableUntil }) => usableUntil?.getTime() ?? Infinity),
  )
  const leftMs = Math.min(...ends) - at.getTime()
  const left = Number.isFinite(leftMs) ? `, good for ${formatSpan(leftMs)}` : ''
  return `stapled on ${stapled} of ${connections} connections${left}`
}

/** Which connection it is: the same one may come in several objects. */
function nameOf({ address, number }: ConnectionRecord): string {
  return `${address} ${number}`
}

function describeConnection(record: ConnectionRecord, certificateKey: string | undefined): ConnectionReport {
  const { address, number, offered, connectMs, handshakeMs, handshake, failure, greeting } = record
  return {
    address,
    number,
    ...offered,
    connectMs: round(connectMs),
    ...(handshakeMs !== undefined && { handshakeMs: round(handshakeMs) }),
    ...(handshake && { cipher: handshake.cipher }),
    ...(handshake?.alpn !== undefined && { alpn: printableLines(handshake.alpn) }),
    ...(certificateKey !== undefined && { certificateKey }),
    ...(handshake && { isStapled: handshake.staple !== null }),
    ...(greeting !== undefined && { greeting: printableLines(greeting) }),
    ...(failure && { error: plainError(failure) }),
  }
}

function describeLive({ ocsp, crl }: LiveEvidence): NonNullable<CertificateReport['live']> {
  return { ...(ocsp && { ocsp: describeAnswer(ocsp) }), ...(crl && { crl: describeAnswer(crl) }) }
}

function describeAnswer(answer: StatusAnswer | StapleError): AnswerReport {
  if (answer instanceof Error) return { error: plainError(answer) }
  const { certStatus, url, thisUpdate, nextUpdate, revocationTime, revocationReason, elapsedMs } = answer
  return {
    certStatus,
    url: printableLines(url),
    thisUpdate,
    ...(nextUpdate && { nextUpdate }),
    ...(revocationTime && { revocationTime }),
    ...(revocationReason !== undefined && { revocationReason }),
    elapsedMs: round(elapsedMs),
  }
}

function bySeverity(one: FindingReport, other: FindingReport): number {
  return compareSeverity(one.severity, other.severity)
}

/** Microseconds say enough. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
