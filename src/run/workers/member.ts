/**
 * One worker process as the primary sees it: what was sent to it, what it was asked, whether it still answers.
 *
 * Of the process itself it needs a channel and an end; `cluster.fork()` gives both.
 */
import { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { ServableSnapshot } from '../../keep/keeper/index.ts'
import type { TerminatorStatus } from '../../serve/terminator/index.ts'
import type { Answers, FromWorker, Request, ToWorker } from './messages.ts'
import { reviveError } from './plain.ts'

export interface Member {
  readonly pid: number
  /** Resolves when its channel has taken the message. */
  tell(message: ToWorker): Promise<void>
  /** @throws what the worker threw; {@link StapleError} `ERR_WORKER_LOST` when it ended or did not answer in time */
  ask<Act extends Request['act']>(request: Extract<Request, { act: Act }>, withinMs: number): Promise<Answers[Act]>
  receive(message: FromWorker): void
  kill(): void
  /** The process is gone: whoever waits for an answer is told. */
  bury(): void
  /** What it has been sent: names of certificates, and of staples what was last said. */
  readonly certificates: Set<string>
  readonly staples: Map<string, ServableSnapshot | undefined>
  /** The plan that it serves; 0: none yet. */
  version: number
  /** It takes part in what is prepared and committed. */
  state: 'starting' | 'serving' | 'leaving' | 'gone'
  /** As it was when it last said. */
  lastStatus: TerminatorStatus | undefined
  /** It loads a plan, and says nothing until it has. */
  isLoading: boolean
  /** How many looks in a row found it silent. */
  silences: number
}

/** The process behind it. */
export interface Channel {
  readonly pid: number
  send(message: ToWorker, sent: (error: Error | null) => void): void
  kill(): void
}

/** Creates the primary's side of a worker. */
export function createMember(channel: Channel, clock: Clock): Member {
  const { pid } = channel
  const waiting = new Map<number, (answer: Extract<FromWorker, { type: 'answer' | 'refused' }> | undefined) => void>()
  let lastId = 0

  function lost(why: string): StapleError {
    return new StapleError('ERR_WORKER_LOST', `worker ${pid} ${why}`, { pid })
  }

  const member: Member = {
    pid,
    tell: (message) => new Promise((resolve) => channel.send(message, () => resolve())),
    ask(request, withinMs) {
      return new Promise((resolve, reject) => {
        const id = ++lastId
        if (member.state === 'gone') return reject(lost('has ended'))
        const cancel = clock.wake(withinMs, () => {
          waiting.delete(id)
          reject(lost(`did not ${request.act} within ${withinMs / 1_000} s`))
        })
        waiting.set(id, (answer) => {
          cancel()
          if (answer === undefined) reject(lost(`ended before it could ${request.act}`))
          else if (answer.type === 'refused') reject(reviveError(answer.error))
          else resolve(answer.answer as never)
        })
        channel.send({ type: 'ask', id, request }, () => {})
      })
    },
    receive(message) {
      if (message.type !== 'answer' && message.type !== 'refused') return
      waiting.get(message.id)?.(message)
      waiting.delete(message.id)
    },
    kill: () => channel.kill(),
    bury() {
      member.state = 'gone'
      for (const settle of waiting.values()) settle(undefined)
      waiting.clear()
    },
    certificates: new Set(),
    staples: new Map(),
    version: 0,
    state: 'starting',
    lastStatus: undefined,
    isLoading: false,
    silences: 0,
  }
  return member
}
