/**
 * The verdict on a peer: its staple, what is known already, and where the policy says so what its CA answers.
 *
 * Here a chain is proven already (connect.ts sees to that): before, nobody whom a certificate names may be asked.
 */
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { RevocationPolicy, StatusAnswer, StatusAsker, StatusQuestion } from '../revocation/index.ts'
import type { PeerChain } from './chain.ts'
import type { PeerPolicy, PeerVerdict } from './contract.ts'
import { peerError, revokedError, type Subject } from './failure.ts'
import { consequenceOf, isHard } from './policy.ts'
import { judgeStaple, type StapleFinding, type StaplePolicies } from './staple.ts'

export interface JudgeOptions {
  readonly clock: Clock
  readonly asker: StatusAsker
  readonly policy: PeerPolicy
  readonly revocation: RevocationPolicy
  readonly intermediates: boolean
  readonly judgeTimeoutMs: number
  readonly staplePolicies: StaplePolicies
}

/** What a peer showed in its handshake. */
export interface Presented {
  /** As the caller named it: `example.com:443`. */
  readonly peer: string
  readonly chain: PeerChain
  readonly staple: Uint8Array | undefined
}

/**
 * Judges what a peer showed.
 *
 * @throws {@link StapleError} `ERR_PEER_…` when the policy refuses it; the signal's reason when aborted
 */
export async function judgePeer(o: JudgeOptions, presented: Presented, signal: AbortSignal): Promise<PeerVerdict> {
  const judgement = new Judgement(o, presented, signal)
  return judgement.conclude()
}

/** The facts that a verdict adds to those of every peer. */
type Learned = Pick<PeerVerdict, 'source'> &
  Partial<Pick<PeerVerdict, 'certStatus' | 'usableUntil' | 'staple' | 'stapleRefused' | 'answer' | 'failures'>>

/** The course of one judgement. */
class Judgement {
  readonly #o: JudgeOptions
  readonly #presented: Presented
  readonly #signal: AbortSignal
  readonly #subject: Subject
  readonly #startedAt: number
  readonly #failures: StapleError[] = []

  constructor(o: JudgeOptions, presented: Presented, signal: AbortSignal) {
    this.#o = o
    this.#presented = presented
    this.#signal = signal
    this.#subject = { peer: presented.peer, policy: o.policy, certificate: presented.chain.leaf }
    this.#startedAt = o.clock.monotonicMs()
  }

  async conclude(): Promise<PeerVerdict> {
    const { policy, intermediates } = this.#o
    const { leaf } = this.#presented.chain
    const learned = await this.#judgeLeaf()
    const answers = intermediates ? await this.#judgeIntermediates() : []
    const ends = [learned.usableUntil, ...answers.map((answer) => answer.usableUntil)].flatMap((end) => end ?? [])
    return {
      policy,
      isChainVerified: true,
      certificate: leaf,
      isMustStaple: isMustStaple(leaf),
      ...learned,
      ...(learned.usableUntil !== undefined && { usableUntil: new Date(Math.min(...ends.map(Number))) }),
      intermediates: answers,
      failures: this.#failures,
      elapsedMs: this.#o.clock.monotonicMs() - this.#startedAt,
    }
  }

  async #judgeLeaf(): Promise<Learned> {
    const { asker, policy } = this.#o
    const { leaf, issuer } = this.#presented.chain
    if (issuer === undefined) return this.#withoutIssuer()
    const finding = await this.#judgeStaple(issuer)
    const known = asker.recall(leaf, issuer)
    // An unknown would answer the question that it gives rise to.
    if ('response' in finding && finding.kind !== 'unknown') asker.remember(leaf, issuer, finding.response)
    if (known?.certStatus === 'revoked' && !isOlder(known, finding)) {
      throw revokedError(this.#subject, `its CA (by ${known.source})`, known)
    }
    switch (consequenceOf(policy, isMustStaple(leaf), finding.kind)) {
      case 'accept':
        return accepted(finding)
      case 'refuse':
        throw this.#refusal(finding)
      case 'ask':
        // RFC 9608: there is nothing to learn, says the CA.
        if (leaf.extensions.noRevAvail && finding.kind === 'none') return { source: 'none' }
        return this.#askAfter(finding, { certificate: leaf, issuer })
    }
  }

  #judgeStaple(issuer: PeerChain['leaf']): Promise<StapleFinding> {
    const { chain, staple } = this.#presented
    return judgeStaple(staple, {
      ...this.#o.staplePolicies,
      certificate: chain.leaf,
      issuer,
      at: this.#o.clock.now(),
      askAboutDelegate: (certificate) => this.#ask({ certificate, issuer, policy: 'crl' }),
    })
  }

  /** A self-signed certificate that is trusted by itself, or a chain that cannot be proven link by link. */
  #withoutIssuer(): Learned {
    const found = 'its certificate was issued by none of those shown and trusted'
    const expected = 'the certificate of its issuer, who alone can say whether it is revoked'
    const { chain, staple } = this.#presented
    const stapled = staple === undefined ? 'none' : 'refused'
    if (consequenceOf(this.#o.policy, isMustStaple(chain.leaf), stapled) === 'accept') return { source: 'none' }
    const error = peerError('ERR_PEER_UNVERIFIED', this.#subject, found, expected)
    if (isHard(this.#o.policy)) throw error
    this.#failures.push(error)
    return { source: 'none' }
  }

  #refusal(finding: StapleFinding): StapleError {
    const { leaf } = this.#presented.chain
    switch (finding.kind) {
      case 'revoked':
        return revokedError(this.#subject, 'its own staple', finding.response)
      case 'refused': {
        const { error } = finding
        const found = `it stapled what does not count: ${error.message}`
        return peerError('ERR_PEER_STAPLE_REFUSED', this.#subject, found, 'a staple that is verified and fresh', error)
      }
      case 'unknown': {
        const found = 'its staple says that the responder does not know its certificate'
        return peerError('ERR_PEER_STATUS_UNKNOWN', this.#subject, found, 'a staple that says good')
      }
      default: {
        if (!isMustStaple(leaf)) {
          return peerError('ERR_PEER_NO_STAPLE', this.#subject, 'it stapled nothing', 'a staple')
        }
        const expected = 'the staple that its certificate demands (RFC 7633)'
        return peerError('ERR_PEER_MUST_STAPLE', this.#subject, 'it stapled nothing', expected)
      }
    }
  }

  async #askAfter(finding: StapleFinding, question: StatusQuestion): Promise<Learned> {
    const { policy } = this.#o
    const refused = finding.kind === 'refused' ? { stapleRefused: finding.error } : {}
    const staple = 'response' in finding ? { staple: finding.response } : {}
    let answer: StatusAnswer | undefined
    try {
      answer = await this.#ask(question)
    } catch (error) {
      if (!isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE')) throw error
      if (finding.kind === 'refused' && finding.staleRevocation !== undefined) {
        throw revokedError(this.#subject, 'its own staple, which is stale', finding.staleRevocation)
      }
      if (finding.kind !== 'unknown' && isHard(policy)) throw unavailableError(this.#subject, error, finding)
      this.#failures.push(error)
    }
    if (answer?.certStatus === 'revoked') throw this.#revokedBy(answer)
    // What the CA said before its responder's shrug, which the peer staples, is no longer its word.
    if (answer?.certStatus === 'good' && !(finding.kind === 'unknown' && isOlder(answer, finding))) {
      return {
        source: answer.source,
        certStatus: 'good',
        usableUntil: answer.usableUntil,
        answer,
        ...refused,
        ...staple,
      }
    }
    if (answer === undefined && finding.kind !== 'unknown') return { source: 'none', ...refused }
    if (isHard(policy)) {
      const found = `its CA does not know its certificate, says ${answer?.source === 'ocsp' ? answer.url || 'its staple' : 'its staple'}`
      throw peerError('ERR_PEER_STATUS_UNKNOWN', this.#subject, found, 'an answer that says good')
    }
    const source = answer?.certStatus === 'unknown' ? answer.source : 'staple'
    return { source, certStatus: 'unknown', ...(answer !== undefined && { answer }), ...refused, ...staple }
  }

  /** All at once. None of them can be stapled, so what was asked for is asked of the CA whatever the policy of staples. */
  #judgeIntermediates(): Promise<StatusAnswer[]> {
    const { chain } = this.#presented
    return Promise.all(
      chain.intermediates.map(async (question) => {
        const subject = { ...this.#subject, certificate: question.certificate }
        try {
          const answer = await this.#ask(question)
          if (answer.certStatus === 'revoked') throw this.#revokedBy(answer, subject)
          if (answer.certStatus === 'good' || !isHard(this.#o.policy)) return [answer]
          const found = `the CA above does not know ${formatName(question.certificate.subject)}`
          throw peerError('ERR_PEER_STATUS_UNKNOWN', subject, found, 'an answer that says good')
        } catch (error) {
          if (!isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE')) throw error
          if (isHard(this.#o.policy)) throw unavailableError(subject, error)
          this.#failures.push(error)
          return []
        }
      }),
    ).then((answers) => answers.flat())
  }

  #revokedBy({ source, url, ...revocation }: StatusAnswer, subject = this.#subject): StapleError {
    return revokedError(subject, `its CA (by ${source}${url === '' ? '' : `, ${url}`})`, revocation)
  }

  #ask(question: StatusQuestion): Promise<StatusAnswer> {
    const { asker, clock, judgeTimeoutMs, revocation } = this.#o
    const restMs = judgeTimeoutMs - (clock.monotonicMs() - this.#startedAt)
    const deadlineMs = Math.max(1, Math.round(restMs))
    return asker.ask({ origin: 'stranger', policy: revocation, deadlineMs, ...question }, this.#signal)
  }
}

function accepted(finding: StapleFinding): Learned {
  if (finding.kind !== 'good') return { source: 'none' }
  const { response } = finding
  return { source: 'staple', certStatus: 'good', usableUntil: response.usableUntil, staple: response }
}

/** Whether an answer is older than what was stapled. */
function isOlder({ thisUpdate }: StatusAnswer, finding: StapleFinding): boolean {
  return 'response' in finding && thisUpdate < finding.response.thisUpdate
}

function unavailableError(subject: Subject, error: StapleError, finding?: StapleFinding): StapleError {
  const { peer, policy, certificate } = subject
  const detail = error.detail as StapleError<'ERR_PEER_STATUS_UNAVAILABLE'>['detail']
  const staple = finding?.kind === 'refused' ? [finding.error] : []
  const stapled = finding?.kind === 'refused' ? `it stapled what does not count (${finding.error.message}), and ` : ''
  const name = formatName(certificate.subject)
  const message = `${peer}: ${stapled}the status of ${name} could not be learned: ${error.message} (policy ${policy})`
  return new StapleError(
    'ERR_PEER_STATUS_UNAVAILABLE',
    message,
    {
      ...detail,
      causes: [...staple, ...detail.causes],
      peer,
      policy,
      certificate: name,
      certificateKey: certificateKey(certificate.der),
    },
    { cause: error },
  )
}
