/** verifyPeer as the front wants it: questions and answers as plain data, the verdict in words. */
import { type PeerResponder, verifyPeer } from '../../check/peer/verify-peer.ts'
import type { StatusAnswer } from '../../check/revocation/index.ts'
import { formatTime } from '../../pki/der/time.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'
import type {
  PeerJudgement,
  PeerPolicy,
  PeerQuestion,
  PeerResponder as TerminatorPeerResponder,
} from '../../serve/terminator/index.ts'
import { findResponderRule } from '../config/responders.ts'
import type { AgedQuestion } from './held-asker.ts'

/** Asks about one certificate, under the policies of a question. */
export type AskUnder = (policy: PeerPolicy, question: AgedQuestion, signal: AbortSignal) => Promise<StatusAnswer>

/** Judges one client. @throws the signal's reason when aborted */
export async function judgeChain(
  { chain, isProven, policy, maxAgeMs }: PeerQuestion,
  ask: AskUnder,
  signal: AbortSignal,
): Promise<PeerJudgement> {
  const verdict = await verifyPeer(decodeChain(chain), {
    ...policy,
    signal,
    // The front has tried to prove the chain, and has the CAs for it: there is no second try.
    authorities: [],
    isProven,
    asker: {
      ask: (question) => ask(policy, { ...question, ...(maxAgeMs !== undefined && { maxAgeMs }) }, signal),
    },
    responder: (certificate) => responderOf(findResponderRule(policy.responders, certificate)),
  })
  const { isAccepted, isExcused, reason, usableUntil } = verdict
  const message = describe(verdict)
  return {
    outcome: isExcused ? 'warned' : isAccepted ? 'accepted' : 'refused',
    reason,
    subject: subjectOf(chain),
    ...(message !== undefined && { message }),
    ...(usableUntil && { usableUntil }),
  }
}

function responderOf(rule: TerminatorPeerResponder | undefined): PeerResponder | undefined {
  if (rule === undefined) return undefined
  const { responderURLs, hashAlgorithm, method, responderCertificate } = rule
  return {
    ...(responderURLs && { responderURLs }),
    ...(hashAlgorithm && { hashAlgorithm }),
    ...(method && { method }),
    ...(responderCertificate && { responderCertificate: decodeCertificate(responderCertificate) }),
  }
}

/** The certificate that decided, and what is said of it; nothing where all is well. */
function describe({ links, reason, failure }: Awaited<ReturnType<typeof verifyPeer>>): string | undefined {
  const link = links.find((each) => each.reason === reason && (!each.isAccepted || each.excuse !== undefined))
  if (link === undefined) return failure?.message
  const name = formatName(link.certificate.subject)
  const { answer } = link
  if (answer?.certStatus === 'revoked') {
    const since = answer.revocationTime ? ` since ${formatTime(answer.revocationTime)}` : ''
    const why = answer.revocationReason ? ` (${answer.revocationReason})` : ''
    return `${name} is revoked${since}${why}`
  }
  if (answer?.certStatus === 'unknown') return `the responder does not know ${name} (certStatus unknown)`
  if (reason === 'no-responder') return `${name} does not say where its status can be asked`
  return `${name}: ${link.failure?.message ?? reason}`
}

/** The front hands the same chain over for each connection of a client; what is computed of a certificate stays with it. */
const decoded = new WeakMap<readonly Uint8Array[], readonly Certificate[]>()

function decodeChain(chain: readonly Uint8Array[]): readonly (Certificate | Uint8Array)[] {
  const known = decoded.get(chain)
  if (known) return known
  try {
    const certificates = chain.map((der) => decodeCertificate(der))
    decoded.set(chain, certificates)
    return certificates
  } catch {
    // The verdict says what is wrong with it.
    return chain
  }
}

function subjectOf([leaf]: readonly Uint8Array[]): string {
  try {
    return leaf ? formatName(decodeCertificate(leaf).subject) : ''
  } catch {
    return ''
  }
}
