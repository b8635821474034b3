/**
 * The verdict on a client that showed a certificate (mTLS): what its CAs say of every certificate of its chain.
 *
 * The names and outcomes of the switches are those of nats-server's `ocsp_peer`. It decides nothing about the connection:
 * who asked closes it, or goes on.
 */
import { isStapleError, StapleError } from '../../errors.ts'
import type { Origin } from '../../keep/fetch/index.ts'
import { viewBytes } from '../../pki/der/bytes.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { isSameName } from '../../pki/x509/name.ts'
import { findPath } from '../../pki/x509/path.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import type { RevocationPolicy, StatusAnswer, StatusAsker, StatusQuestion } from '../revocation/index.ts'
import { excuseFor, type LinkReason, type LinkSwitches, rankOf, reasonOf } from './link-policy.ts'

export type { LinkReason } from './link-policy.ts'

export interface VerifyPeerOptions extends LinkSwitches {
  /** Asks the CAs. One that rejects with `ERR_PEER_REVOKED` knows that the last word of a CA, out of date by now, was revoked. */
  readonly asker: Pick<StatusAsker, 'ask'>
  /** The CAs that the peer's certificate had to come from, as they were given to tls as `ca`: PEM or DER, or decoded. */
  readonly authorities: readonly (Certificate | Uint8Array | string)[]
  /** Where a status is looked up; default `ocsp`, as nats-server. */
  readonly revocation?: RevocationPolicy
  /** For one certificate and one address of its CA; milliseconds, default 2000. */
  readonly caTimeoutMs?: number
  /** The end of it all; milliseconds, default 5000. All certificates are asked about at once. */
  readonly deadlineMs?: number
  /** Default `operator`: whose certificates come from CAs of one's own may name addresses in private networks. */
  readonly origin?: Origin
  /** Where and how to ask about a certificate, instead of where it says; undefined: as it says. */
  readonly responder?: (certificate: Certificate) => PeerResponder | undefined
  /** Each certificate is known to be issued by the next, up to a root of `authorities`: it is not proven again. */
  readonly isProven?: boolean
  readonly signal?: AbortSignal
}

/** How the responder of some certificates is asked. */
export type PeerResponder = Pick<StatusQuestion, 'responderURLs'> & NonNullable<StatusQuestion['asking']>

/** What became of a peer. */
export interface PeerLinksVerdict {
  readonly isAccepted: boolean
  /** It is accepted only because a switch says so. */
  readonly isExcused: boolean
  /** Of the certificate that decided: the worst. */
  readonly reason: LinkReason
  /** Why it is refused, or would have been. */
  readonly failure?: StapleError
  /** Every certificate but the root, the leaf first. */
  readonly links: readonly PeerLink[]
  /** The CA has signed what decided, so that it counts until `usableUntil`. */
  readonly isSigned: boolean
  /** How long the verdict holds: the earliest end of what was learned; absent where nothing was. */
  readonly usableUntil?: Date
}

/** One certificate of the chain. */
export interface PeerLink {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly reason: LinkReason
  readonly isAccepted: boolean
  /** The switch that let it pass. */
  readonly excuse?: keyof LinkSwitches
  readonly answer?: StatusAnswer
  readonly failure?: StapleError
}

/** A TLSSocket, as far as its chain goes; structural, so that it may come from a wrapper. */
export interface PeerSocket {
  readonly authorized: boolean
  getPeerCertificate(detailed: true): ShownCertificate
}

interface ShownCertificate {
  readonly raw?: Uint8Array
  readonly issuerCertificate?: ShownCertificate
}

/**
 * Judges a client by what its CAs say of its certificates.
 *
 * TLS must have verified the chain before: dates, names and purposes are not looked at again.
 *
 * @param peer - the server's side of a connection, or its chain: DER or decoded, the leaf first
 * @throws the signal's reason when aborted; {@link StapleError} for `authorities` that cannot be read; never for what is
 * wrong with the peer, which is the verdict
 * @example Close whoever is revoked
 * ```ts
 * const asker = createStatusAsker({ clock: systemClock, fetcher: createFetcher({ clock: systemClock }) })
 * server.on('secureConnection', async (socket) => {
 *   const { isAccepted } = await verifyPeer(socket, { asker, authorities })
 *   if (!isAccepted) socket.destroy()
 * })
 * ```
 */
export async function verifyPeer(
  peer: PeerSocket | readonly (Certificate | Uint8Array)[],
  options: VerifyPeerOptions,
): Promise<PeerLinksVerdict> {
  // What is wrong with these is no peer's fault.
  const anchors = options.authorities.flatMap(readAuthority)
  const path = pathOf(peer, anchors, options.isProven === true)
  if (path instanceof StapleError) {
    const isExcused = options.isWarnOnly === true
    return { isAccepted: isExcused, isExcused, reason: 'unproven', failure: path, links: [], isSigned: false }
  }
  const asked = path.slice(0, -1).map((certificate, index) => {
    return judgeLink(certificate, path[index + 1] as Certificate, options)
  })
  const links = await Promise.all(asked)
  const troubling = links.filter(({ isAccepted, excuse }) => !isAccepted || excuse !== undefined)
  const [worst] = troubling.sort((one, other) => rankOf(other.reason) - rankOf(one.reason))
  const isAccepted = links.every((link) => link.isAccepted)
  const ends = links.flatMap(({ answer }) => (answer ? [answer.usableUntil.getTime()] : []))
  // Of what lets in, all must still hold; of what keeps out, that alone.
  const decisive = links.find((link) => !link.isAccepted && link.reason === worst?.reason)?.answer?.usableUntil
  const usableUntil = decisive ?? (ends.length > 0 ? new Date(Math.min(...ends)) : undefined)
  return {
    isAccepted,
    isExcused: isAccepted && links.some(({ excuse }) => excuse !== undefined),
    reason: worst?.reason ?? (links.length === 0 || links.some(({ answer }) => answer) ? 'good' : 'no-responder'),
    ...(worst?.failure && { failure: worst.failure }),
    links,
    isSigned: worst === undefined || worst.answer !== undefined,
    ...(usableUntil && { usableUntil }),
  }
}

async function judgeLink(certificate: Certificate, issuer: Certificate, o: VerifyPeerOptions): Promise<PeerLink> {
  const { revocation = 'ocsp', caTimeoutMs = 2_000, deadlineMs = 5_000, origin = 'operator' } = o
  const { responderURLs: given, ...asking } = o.responder?.(certificate) ?? {}
  const { noRevAvail, responderURLs, crlDistributionPoints } = certificate.extensions
  const responders = revocation === 'crl' ? [] : (given ?? responderURLs).filter(isHttp)
  const hasCrl = revocation !== 'ocsp' && crlDistributionPoints.some(({ urls }) => urls.some(isHttp))
  const link = { certificate, issuer }
  // RFC 9608: whoever issued it says that there is nothing to ask.
  if (noRevAvail || (responders.length === 0 && !hasCrl)) return conclude(link, { reason: 'no-responder' }, o)
  const addresses = responders.length + (hasCrl ? 1 : 0)
  try {
    const answer = await o.asker.ask(
      {
        ...link,
        origin,
        // What has no address is not tried: its failure would be one more that says nothing.
        policy: responders.length === 0 ? 'crl' : hasCrl ? revocation : 'ocsp',
        deadlineMs: Math.min(deadlineMs, caTimeoutMs * addresses),
        ...(given && { responderURLs: responders }),
        asking,
      },
      o.signal,
    )
    return conclude(link, { reason: answer.certStatus, answer }, o)
  } catch (thrown) {
    if (o.signal?.aborted) throw o.signal.reason
    const failure = isStapleError(thrown) ? thrown : unexpected(thrown)
    return conclude(link, { reason: reasonOf(failure), failure }, o)
  }
}

function conclude(
  link: Pick<PeerLink, 'certificate' | 'issuer'>,
  found: Pick<PeerLink, 'reason' | 'answer' | 'failure'>,
  switches: LinkSwitches,
): PeerLink {
  if (found.reason === 'good') return { ...link, ...found, isAccepted: true }
  if (found.reason === 'no-responder' && switches.whenNoResponder !== 'refuse') {
    return { ...link, ...found, isAccepted: true }
  }
  const excuse = excuseFor(found.reason, switches)
  return { ...link, ...found, isAccepted: excuse !== undefined, ...(excuse && { excuse }) }
}

/** The chain from the leaf to the root. */
function pathOf(
  peer: PeerSocket | readonly (Certificate | Uint8Array)[],
  anchors: readonly Certificate[],
  isProven: boolean,
): readonly Certificate[] | StapleError {
  try {
    if ('getPeerCertificate' in peer && !peer.authorized) return unproven('TLS has not verified its chain')
    const shown = ('getPeerCertificate' in peer ? listShown(peer) : peer).map((each) =>
      'der' in each ? each : decodeCertificate(each),
    )
    const [leaf] = shown
    const last = shown.at(-1)
    if (leaf === undefined || last === undefined) return unproven('it showed no certificate')
    if (isProven && isSameName(last.issuer, last.subject)) return shown
    return findPath(leaf, anchors, shown) ?? unproven('no path of signatures leads from it to a root of `authorities`')
  } catch (thrown) {
    if (isStapleError(thrown)) return thrown
    throw thrown
  }
}

/** Never getPeerX509Certificate(): on Node 20 to 24 it damages the chain (nodejs/node#65579). */
function listShown(socket: PeerSocket): Uint8Array[] {
  const shown: Uint8Array[] = []
  for (let at: ShownCertificate | undefined = socket.getPeerCertificate(true); at?.raw !== undefined; ) {
    if (shown.length === mostShown) break
    shown.push(at.raw)
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate
  }
  return shown
}

function readAuthority(given: Certificate | Uint8Array | string): readonly Certificate[] {
  if (typeof given === 'string') return parsePemCertificates(given)
  if ('der' in given) return [given]
  const bytes = viewBytes(given, 'authorities')
  return bytes[0] === sequenceTag ? [decodeCertificate(bytes)] : parsePemCertificates(bytes)
}

/** What DER of a certificate begins with, and no PEM does. */
const sequenceTag = 0x30

function isHttp(url: string): boolean {
  return /^https?:\/\//i.test(url)
}

function unproven(found: string): StapleError {
  const expected = 'a chain that TLS verified, up to a root of `authorities`'
  return new StapleError('ERR_PEER_UNVERIFIED', `the peer is not proven: ${found}`, { found, expected })
}

function unexpected(thrown: unknown): StapleError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new StapleError('ERR_PEER_STATUS_UNAVAILABLE', `the CA was not asked: ${message}`, { causes: [] })
}

const mostShown = 16
