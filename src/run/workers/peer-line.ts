/**
 * A worker's line to the process that asks CAs about clients, and what is left when that is gone: verdicts that still hold,
 * else what the policy says of a CA out of reach.
 */
import { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { stopOf } from '../../keep/fetch/stop.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import type { JudgePeer, PeerJudgement, PeerQuestion } from '../../serve/terminator/index.ts'
import { judgeChain } from '../peers/judge.ts'
import type { FromWorker } from './messages.ts'

export interface PeerLine {
  readonly judge: JudgePeer
  /** The primary has answered. */
  judged(id: number, judgement: PeerJudgement): void
  /** There is no primary any more. */
  orphaned(): void
}

export interface PeerLineOptions {
  readonly clock: Clock
  send(message: FromWorker): void
}

/** Creates a line on which nothing was asked. */
export function createPeerLine({ clock, send }: PeerLineOptions): PeerLine {
  const waiting = new Map<number, (judgement: PeerJudgement | undefined) => void>()
  /** By leaf, and the policy under which it was judged. The oldest go. */
  const verdicts = new Map<string, PeerJudgement>()
  let isOrphan = false
  let lastId = 0

  /** Undefined where no answer comes in time. */
  function askPrimary(question: PeerQuestion, signal: AbortSignal): Promise<PeerJudgement | undefined> {
    return new Promise((resolve) => {
      const id = ++lastId
      const settle = (judgement: PeerJudgement | undefined) => {
        cancel()
        cancelStop()
        waiting.delete(id)
        resolve(judgement)
      }
      const abandon = () => settle(undefined)
      const cancel = clock.wake(question.policy.deadlineMs + patienceMs, abandon)
      // All looks at open connections share one signal.
      const cancelStop = stopOf(signal).onStop(abandon)
      waiting.set(id, settle)
      send({ type: 'judge', id, question })
    })
  }

  function hold(key: string, judgement: PeerJudgement): void {
    // A verdict of before does not outlive the word that it is revoked, though that is out of date itself.
    if (judgement.reason === 'was-revoked') verdicts.delete(key)
    if (judgement.usableUntil === undefined) return
    verdicts.delete(key)
    verdicts.set(key, judgement)
    if (verdicts.size > mostHeld) verdicts.delete(verdicts.keys().next().value as string)
  }

  async function judgeAlone(question: PeerQuestion, key: string, signal: AbortSignal): Promise<PeerJudgement> {
    const held = verdicts.get(key)
    if (held?.usableUntil && clock.now() < held.usableUntil) return held
    return await judgeChain(question, nobodyAnswers, signal)
  }

  return {
    async judge(question, signal) {
      const key = keyOf(question)
      const judgement = isOrphan || signal.aborted ? undefined : await askPrimary(question, signal)
      if (judgement === undefined) return await judgeAlone(question, key, signal)
      hold(key, judgement)
      return judgement
    },
    judged: (id, judgement) => waiting.get(id)?.(judgement),
    orphaned() {
      isOrphan = true
      for (const settle of [...waiting.values()]) settle(undefined)
    },
  }
}

async function nobodyAnswers(): Promise<never> {
  const message = 'the process that asks the CA is gone'
  throw new StapleError('ERR_PEER_STATUS_UNAVAILABLE', message, { causes: [] })
}

function keyOf({ chain: [leaf], policy }: PeerQuestion): string {
  return `${leaf ? certificateKey(leaf) : ''} ${JSON.stringify(policy)}`
}

/** The way there and back. */
const patienceMs = 500
const mostHeld = 2_000
