/**
 * Turns at the resolver. The system's holds one of the four threads of this process for as long as a name server is
 * silent, longer than anybody waits for it: a few dead names would use up the time of all others, and healthy servers
 * would be said to have no address.
 */
import type { LookupFunction } from 'node:net'
import { isStapleError } from '../../errors.ts'
import { inTime, type Limits } from './limits.ts'

export interface LookupTurns {
  /** Does the work when it is its turn. Its time begins then; its turn ends when it has really ended. */
  run<T>(limits: Limits, host: string, work: () => Promise<T>): Promise<T>
}

/** One thread stays free, for responders' names. */
const atOnce = 3
/** How long others may take before it is this one's turn, in times of the step's own. */
const patience = 6
/** After so many silences in a row the name server is away, and nobody waits longer than for an answer of it. */
const silencesUntilAway = 12

const turnsOfLookup = new WeakMap<LookupFunction, LookupTurns>()

/** @returns the same for the same lookup: its threads are those of the process */
export function turnsAt(lookup: LookupFunction): LookupTurns {
  const turns = turnsOfLookup.get(lookup) ?? createTurns()
  turnsOfLookup.set(lookup, turns)
  return turns
}

function createTurns(): LookupTurns {
  const waiting = new Set<() => void>()
  let busy = 0
  let silences = 0

  const release = () => {
    const [next] = waiting
    if (next === undefined) busy -= 1
    else {
      waiting.delete(next)
      next()
    }
  }

  async function take(limits: Limits, host: string): Promise<void> {
    if (busy < atOnce) {
      busy += 1
      return
    }
    let go = () => {}
    const turn = new Promise<void>((resolve) => {
      go = resolve
    })
    waiting.add(go)
    const waitMs = limits.timeoutMs * (silences < silencesUntilAway ? patience : 1)
    try {
      await inTime(limits, 'the name server did not answer for the names before it', host, turn, waitMs)
    } catch (error) {
      // it was handed over at the very moment
      if (!waiting.delete(go)) release()
      throw error
    }
  }

  return {
    async run(limits, host, work) {
      await take(limits, host)
      const answer = work()
      let isLate = false
      const end = () => {
        release()
        if (!isLate) silences = 0
      }
      answer.then(end, end)
      try {
        return await inTime(limits, 'the name server did not answer', host, answer)
      } catch (error) {
        if (isStapleError(error, 'ERR_PROBE_TIMEOUT')) {
          isLate = true
          silences += 1
        }
        throw error
      }
    },
  }
}
