/** What was seen, as names and sentences: the same words on the terminal and on the page. */
import type { Unasked } from '../../check/diagnose/evidence.ts'
import type { ServerKind } from '../../check/diagnose/finding.ts'
import { formatDistance, formatMoment, formatSpan } from '../journal/span.ts'
import { shortNameOf, titleOf } from './certificate.ts'
import { describeRates, formatVersion } from './rates.ts'
import type { AnswerReport, CertificateReport, ConnectionReport, StapleReport, TargetReport } from './shape.ts'
import type { Timeline } from './timeline.ts'

export interface Fact {
  readonly name: string
  readonly text: string
}

/** Of the target itself. */
export function factsOfTarget({ host, port, serverName, starttls, server, addresses }: TargetReport): Fact[] {
  const by = starttls === undefined ? '' : `, ${starttls} going over to TLS`
  const as = serverName === undefined ? '' : `, as ${serverName}`
  const [first, ...others] = addresses
  const isPlain = by === '' && as === '' && others.length === 0 && (first === undefined || first === host)
  return [
    ...(isPlain ? [] : [{ name: 'asked', text: `${host} port ${port}${by}${as}${formatAddresses(host, addresses)}` }]),
    ...(server ? [{ name: 'server', text: describeServer(server) }] : []),
  ]
}

/** Of a certificate, until its staples. */
export function factsOfCertificate(certificate: CertificateReport, target: TargetReport): Fact[] {
  const { connections, stapled, mustStaple, issuer, issuerSource, key, names, notAfter, isTrusted } = certificate
  const more = names.length > 1 ? ` and ${names.length - 1} more` : ''
  const what = [`${titleOf(certificate)}${more}`, key, ...(mustStaple ? ['Must-Staple'] : [])]
  const rate = `${stapled} of ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    { name: 'certificate', text: what.join(', ') },
    { name: 'expires', text: formatDistance(notAfter, target.at) },
    { name: 'issuer', text: `${shortNameOf(issuer)}, ${issuerSources[issuerSource ?? 'none']}` },
    ...(isTrusted ? [] : [{ name: 'not trusted', text: certificate.distrust ?? 'no reason given' }]),
    { name: 'stapled', text: `${rate}${describeRates(target, certificate)}` },
  ]
}

/** What the CA says of a certificate now. */
export function factsOfCa({ live, unasked }: CertificateReport): Fact[] {
  return [
    ...(unasked ? [{ name: 'CA', text: `not asked: ${reasonsNotAsked[unasked]}` }] : []),
    ...(live?.ocsp ? [{ name: 'CA by OCSP', text: describeAnswer(live.ocsp) }] : []),
    ...(live?.crl ? [{ name: 'CA by CRL', text: describeAnswer(live.crl) }] : []),
  ]
}

/** What failed, and what the server does not take beside what it takes; equal ones once. */
export function factsOfFailures({ connections }: TargetReport): Fact[] {
  const failed = new Map<string, number>()
  const declined = new Set<string>()
  for (const connection of connections) {
    // One that ended after the staple had come has shown what was sought.
    if (connection.error === undefined || connection.certificateKey !== undefined) continue
    const text = `${connection.address}: ${connection.error.message}`
    if (isDeclined(connection, connections)) declined.add(describeOffer(connection))
    else failed.set(text, (failed.get(text) ?? 0) + 1)
  }
  return [
    ...(declined.size === 0 ? [] : [{ name: 'declined', text: [...declined].join('; ') }]),
    ...[...failed].map(([text, count]) => ({ name: 'failed', text: count === 1 ? text : `${text} (${count} times)` })),
  ]
}

/** What a staple says, in a line. */
export function describeStaple(staple: StapleReport, of: number): string {
  const { certStatus = 'says nothing of this certificate', revocationTime, revocationReason, signer, bytes } = staple
  const since = revocationTime ? ` since ${formatMoment(revocationTime)}` : ''
  const reason = revocationReason === undefined ? '' : ` (${revocationReason})`
  return [
    `${certStatus}${since}${reason}`,
    ...(staple.isAccepted ? [] : [describeRefusal(staple)]),
    ...(signer ? [`signed by ${shortNameOf(signer.name)}${signer.kind === 'issuer' ? '' : ` (${signer.kind})`}`] : []),
    `${bytes} bytes`,
    ...(staple.connections < of ? [`on ${staple.connections} of ${of} connections`] : []),
  ].join(', ')
}

/** Whether a staple helps: it counts, says good, and the CA says nothing else by now. */
export function isHelpful({ isAccepted, certStatus }: StapleReport, { live }: CertificateReport): boolean {
  const isRevoked = [live?.ocsp, live?.crl].some((answer) => answer?.certStatus === 'revoked')
  return isAccepted && certStatus === 'good' && !isRevoked
}

/** How long a staple still holds. */
export function describeLeft({ place, leftMs, aheadMs }: Timeline, helps: boolean): string {
  if (place === 'before') return `from the future: begins in ${formatSpan(aheadMs)}`
  if (place === 'after') return `stale for ${formatSpan(-leftMs)}`
  return `${helps ? 'survives an outage of' : 'ends in'} ${formatSpan(leftMs)}`
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

/** What came of one connection. */
export function describeConnection(connection: ConnectionReport): string {
  const { connectMs, handshakeMs, cipher, isStapled, error } = connection
  return [
    `connected in ${formatSpan(connectMs)}`,
    ...(handshakeMs === undefined ? [] : [`handshake ${formatSpan(handshakeMs)}`]),
    ...(cipher === undefined ? [] : [cipher]),
    ...(isStapled === undefined ? [] : [isStapled ? 'stapled' : 'no staple']),
    ...(error ? [error.message.split('\n')[0] as string] : []),
  ].join(', ')
}

/** As their makers write them. */
export const serverNames: Readonly<Record<ServerKind, string>> = {
  nginx: 'nginx',
  apache: 'Apache',
  iis: 'IIS',
  haproxy: 'HAProxy',
  caddy: 'Caddy',
  'nats-server': 'nats-server',
  lighttpd: 'lighttpd',
  node: 'Node.js',
}

function formatAddresses(host: string, addresses: readonly string[]): string {
  const isItself = addresses.length === 1 && addresses[0] === host
  return addresses.length === 0 || isItself ? '' : `, at ${addresses.join(', ')}`
}

function describeServer({ kind, because }: NonNullable<TargetReport['server']>): string {
  return because.length === 0 ? serverNames[kind] : `${serverNames[kind]} (${because.join('; ')})`
}

function describeRefusal({ refusals }: StapleReport): string {
  const rules = [...new Set(refusals.map(({ rule }) => rule))]
  return rules.length === 0 ? 'not judged: its issuer is not known' : `refused by ${rules.join(', ')}`
}

function describeAnswer({ certStatus, url, nextUpdate, elapsedMs = 0, error }: AnswerReport): string {
  if (error) return `no answer: ${error.message}`
  const until = nextUpdate ? `, next at ${formatMoment(nextUpdate)}` : ''
  return `${certStatus}, from ${url} in ${formatSpan(elapsedMs)}${until}`
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
  return `${formatVersion(version)}${alone} at ${address}`
}

const reasonsNotAsked: Readonly<Record<Unasked, string>> = {
  'asked-not-to': '--no-phone-home',
  'chain-unverified': 'its chain is not trusted, so it may name any address',
  'no-issuer': 'the issuer is not known',
  'no-address': 'the certificate names no address of it',
  expired: 'the certificate has expired',
}

const issuerSources = {
  sent: 'sent by the server',
  given: 'given by --ca-file or the configuration',
  trusted: 'a root of this machine, not sent by the server',
  fetched: 'fetched, not sent by the server',
  none: 'not found',
} as const
