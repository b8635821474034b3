/** One target on a terminal: what was seen, then what was found. */
import type { Unasked } from '../../check/diagnose/evidence.ts'
import type { TlsVersion } from '../../check/probe/record.ts'
import { formatDistance, formatSpan } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'
import { shortNameOf, titleOf } from './certificate.ts'
import type { AnswerReport, CertificateReport, ConnectionReport, TargetReport } from './shape.ts'
import { formatFinding, serverNames } from './text-finding.ts'
import { describeStaple, drawStaple } from './text-staple.ts'
import { hang } from './wrap.ts'

export interface TextLook {
  readonly style: Style
  /** Columns. */
  readonly width: number
  /** Leave nothing out. */
  readonly isVerbose: boolean
}

/** Formats everything about a target but its verdict. */
export function formatTarget(target: TargetReport, look: TextLook): string[] {
  const { style, width, isVerbose } = look
  const fact = (name: string, text: string) => paintName(hang(name.padEnd(column), text, width), style)
  const facts = [
    ...(target.server ? fact('server', describeServer(target.server)) : []),
    ...target.certificates.flatMap((each) => formatCertificate(each, target, look)),
    // Where nothing else was seen, they are the finding itself.
    ...(target.certificates.length === 0 ? [] : formatFailures(target, look)),
    ...(isVerbose ? formatConnections(target, look) : []),
  ]
  const findings = target.findings.map((each) => formatFinding(each, { ...look, server: target.server?.kind }))
  const [first, ...rest] = facts
  return [
    ...(first === '' || first === undefined ? [] : ['', first]),
    ...(first === '' ? ['', ...rest] : rest),
    ...findings.flatMap((lines, index) => (index > 0 && isShort(lines, findings[index - 1]) ? lines : ['', ...lines])),
  ]
}

/** What the look has cost the server, and what it could not see. */
export function describeLook({
  connections,
  elapsedMs,
  notes,
}: Pick<TargetReport, 'connections' | 'elapsedMs' | 'notes'>): string {
  const made = `${connections.length} connection${connections.length === 1 ? '' : 's'} in ${formatSpan(elapsedMs)}`
  const isSeen = connections.some(({ certificateKey }) => certificateKey !== undefined)
  return [made, ...(isSeen ? notes : [])].join('; ')
}

function isShort(lines: readonly string[], before: readonly string[] | undefined): boolean {
  return lines.length === 1 && before?.length === 1
}

function describeServer({ kind, because }: NonNullable<TargetReport['server']>): string {
  return because.length === 0 ? serverNames[kind] : `${serverNames[kind]} (${because.join('; ')})`
}

function formatCertificate(certificate: CertificateReport, target: TargetReport, look: TextLook): string[] {
  const { style, width } = look
  const { connections, stapled, staples, mustStaple, issuer, issuerSource, key, notAfter, live } = certificate
  const fact = (name: string, text: string) => paintName(hang(name.padEnd(column), text, width), style)
  const more = certificate.names.length > 1 ? ` and ${certificate.names.length - 1} more` : ''
  const what = [`${titleOf(certificate)}${more}`, key, ...(mustStaple ? ['Must-Staple'] : [])]
  const rate = `${stapled} of ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    '',
    ...fact('certificate', what.join(', ')),
    ...fact('', `until ${formatDistance(notAfter, target.at)}`),
    ...fact('issuer', `${shortNameOf(issuer)}, ${sources[issuerSource ?? 'none']}`),
    ...(certificate.isTrusted ? [] : fact('trust', `none: ${certificate.distrust ?? 'no reason given'}`)),
    ...fact('stapled', `${rate}${describeRates(target, certificate)}`),
    ...staples.flatMap((staple) => [
      ...fact('staple', describeStaple(staple, connections)),
      ...drawStaple(staple, target.at, style).map((line) => `${' '.repeat(column)}${line}`),
    ]),
    ...(certificate.unasked ? fact('CA', `not asked: ${reasonsNotAsked[certificate.unasked]}`) : []),
    ...(live?.ocsp ? fact('CA by OCSP', describeAnswer(live.ocsp)) : []),
    ...(live?.crl ? fact('CA by CRL', describeAnswer(live.crl)) : []),
  ]
}

/** At which addresses and TLS versions. */
function describeRates({ connections }: TargetReport, { certificateKey }: CertificateReport): string {
  const rates = new Map<string, Map<string, { stapled: number; all: number }>>()
  for (const connection of connections) {
    if (connection.certificateKey !== certificateKey) continue
    const ofAddress = rates.get(connection.address) ?? new Map()
    rates.set(connection.address, ofAddress)
    const { stapled, all } = ofAddress.get(connection.version) ?? { stapled: 0, all: 0 }
    ofAddress.set(connection.version, { stapled: stapled + (connection.isStapled ? 1 : 0), all: all + 1 })
  }
  const parts = [...rates].map(([address, ofAddress]) => {
    const versions = [...ofAddress].map(
      ([version, { stapled, all }]) => `${shortVersions[version as TlsVersion]} ${stapled} of ${all}`,
    )
    return `${address} ${versions.join(', ')}`
  })
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}

function describeAnswer({ certStatus, url, nextUpdate, elapsedMs = 0, error }: AnswerReport): string {
  if (error) return `no answer: ${error.message}`
  const until = nextUpdate ? `, next at ${nextUpdate.toISOString().slice(0, 16).replace('T', ' ')}Z` : ''
  return `${certStatus}, from ${url} in ${formatSpan(elapsedMs)}${until}`
}

/** What failed, and what the server does not do beside what it does; equal ones in one line. */
function formatFailures({ connections }: TargetReport, { style, width }: TextLook): string[] {
  const failed = new Map<string, number>()
  const declined = new Set<string>()
  for (const connection of connections) {
    // One that ended after the staple had come has shown what was sought.
    if (connection.error === undefined || connection.certificateKey !== undefined) continue
    const text = `${connection.address}: ${connection.error.message}`
    if (isDeclined(connection, connections)) declined.add(describeOffer(connection))
    else failed.set(text, (failed.get(text) ?? 0) + 1)
  }
  const lines = [...failed].map(([text, count]) => (count === 1 ? text : `${text} (${count} times)`))
  const list = (name: string, texts: readonly string[]) =>
    texts.flatMap((text, index) => paintName(hang((index === 0 ? name : '').padEnd(column), text, width), style))
  return [
    ...(declined.size === 0 ? [] : list('declined', [[...declined].join('; ')])),
    ...(lines.length === 0 ? [] : ['', ...list('failed', lines)]),
  ]
}

/** An offer that some servers do not take: normal where they take another. */
function isDeclined(
  { address, error, version, keyFamilies }: ConnectionReport,
  connections: readonly ConnectionReport[],
): boolean {
  if (error?.code !== 'ERR_PROBE_HANDSHAKE') return false
  return connections.some((other) => {
    const isOther = other.version !== version || other.keyFamilies.join() !== keyFamilies.join()
    return isOther && other.address === address && other.certificateKey !== undefined
  })
}

function describeOffer({ address, version, keyFamilies }: ConnectionReport): string {
  const alone = keyFamilies.length === 1 ? ` with ${keyFamilies[0]} alone` : ''
  return `${shortVersions[version]}${alone} at ${address}`
}

function formatConnections({ connections }: TargetReport, { style, width }: TextLook): string[] {
  if (connections.length === 0) return []
  const lines = connections.map((each) => `${each.number} ${describeConnection(each)}`)
  return [
    '',
    ...lines.flatMap((text, index) =>
      paintName(hang((index === 0 ? 'connections' : '').padEnd(column), text, width), style),
    ),
  ]
}

function describeConnection(connection: ConnectionReport): string {
  const { address, version, keyFamilies, cipher, connectMs, handshakeMs, isStapled, error } = connection
  const what = [
    `${address} ${shortVersions[version]} ${keyFamilies.join('+')}`,
    `connected in ${formatSpan(connectMs)}`,
    ...(handshakeMs === undefined ? [] : [`handshake ${formatSpan(handshakeMs)}`]),
    ...(cipher === undefined ? [] : [cipher]),
    ...(isStapled === undefined ? [] : [isStapled ? 'stapled' : 'no staple']),
    ...(error ? [error.message.split('\n')[0] as string] : []),
  ]
  return what.join(', ')
}

function paintName(lines: readonly string[], style: Style): string[] {
  const [first = '', ...rest] = lines
  return [`${style.dim(first.slice(0, column))}${first.slice(column)}`, ...rest]
}

/** In words. */
const reasonsNotAsked: Readonly<Record<Unasked, string>> = {
  'asked-not-to': '--no-phone-home',
  'chain-unverified': 'its chain is not trusted, so it may name any address',
  'no-issuer': 'the issuer is not known',
  'no-address': 'the certificate names no address of it',
  expired: 'the certificate has expired',
}

const sources = {
  sent: 'sent by the server',
  given: 'given by --ca-file or the configuration',
  trusted: 'a root of this machine, not sent by the server',
  fetched: 'fetched, not sent by the server',
  none: 'not found',
} as const

const column = 13
const shortVersions = { 'TLSv1.2': 'TLS 1.2', 'TLSv1.3': 'TLS 1.3' } as const
