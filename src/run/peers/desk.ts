/**
 * Where clients are judged: one for the whole daemon, over all workers and reloads, so that each CA is asked once and what
 * it says is kept in one place.
 *
 * Policies come with each question; what is made from the settings (where answers rest, how CAs are reached) follows the
 * configuration in force.
 */
import { createStatusAsker } from '../../check/revocation/index.ts'
import { type Clock, repeat } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import type { JudgePeer, PeerPolicy } from '../../serve/terminator/index.ts'
import type { PeerCacheStatus } from '../admin/subject.ts'
import type { Settings } from '../config/index.ts'
import type { Line } from '../journal/journal.ts'
import { createHeldResponses } from './answers.ts'
import { readCacheFile, writeCacheFile } from './cache-file.ts'
import { type AgedQuestion, createHeldAsker } from './held-asker.ts'
import { judgeChain } from './judge.ts'

export interface PeerDesk {
  readonly judge: JudgePeer
  /** The configuration in force from now on. Reads the cache that it names; never rejects. */
  follow(settings: PeerDeskSettings): Promise<void>
  /** Undefined where no CA is asked about clients. */
  status(): PeerCacheStatus | undefined
  /** Writes what is new, and ends what is under way. */
  close(): Promise<void>
}

export type PeerDeskSettings = Pick<Settings, 'fetch' | 'verify' | 'peerCache'>

export interface PeerDeskOptions {
  readonly clock: Clock
  say(line: Line): void
}

/** Creates a desk that asks nobody before it is asked. */
export function createPeerDesk({ clock, say }: PeerDeskOptions, first: PeerDeskSettings): PeerDesk {
  const responses = createHeldResponses()
  const counts = { hits: 0, misses: 0 }
  const askings = new Map<string, Asking>()
  const retired = new Set<Asking>()
  let settings = first
  let saved = 0
  let cancelSaving: (() => void) | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let isSavingBroken = false

  /** Whoever asks by the same rules shares answers and questions under way. */
  function askingFor({ allowedClockSkewMs, maxAgeWithoutNextUpdateMs }: PeerPolicy): Asking {
    const { fetch, verify, peerCache } = settings
    const policies = { ...verify, allowedClockSkewMs, maxAgeWithoutNextUpdateMs }
    const isForgetful = peerCache?.type !== 'local'
    const key = JSON.stringify([fetch, policies, isForgetful])
    const known = askings.get(key)
    if (known) return known
    const fetcher = createFetcher({ clock, ...fetch, ...policies, perHost: mostPerHost, total: mostAtOnce })
    const asker = createStatusAsker({ clock, fetcher, allowedClockSkewMs, cacheEntries: mostHeld, unavailableMs })
    const asking = {
      ask: createHeldAsker({ asker, responses, policies, clock, counts, isForgetful }),
      close: async () => {
        await asker.close()
        await fetcher.close()
      },
    }
    askings.set(key, asking)
    return asking
  }

  function inTurn(task: () => Promise<void>): Promise<void> {
    const mine = turn.then(task)
    turn = mine.catch(() => {})
    return mine
  }

  async function load(directory: string): Promise<void> {
    try {
      const read = await readCacheFile(directory)
      if (read === undefined) {
        // Nothing to write until something was learned.
        if (responses.size === 0) saved = responses.version
        return
      }
      // What was learned meanwhile is newer.
      for (const [key, held] of read.entries) if (responses.find(key) === undefined) responses.put(key, held)
      const { compressed, damaged } = read
      if (compressed > 0)
        complain('info', `${compressed} answers of ${directory} are compressed: they are asked for anew`)
      if (damaged > 0) complain('warn', `${damaged} entries of ${directory} are damaged: they are asked for anew`)
      if (compressed + damaged === 0) saved = responses.version
    } catch (thrown) {
      complain(
        'warn',
        `cache.json in ${directory} cannot be read, every answer is asked for anew: ${messageOf(thrown)}`,
      )
    }
  }

  async function save(): Promise<void> {
    const { peerCache } = settings
    if (peerCache?.type !== 'local') return
    const { directory, isRevokedPreserved } = peerCache
    responses.sweep(clock.now(), isRevokedPreserved)
    const { version } = responses
    if (version === saved) return
    try {
      await writeCacheFile(directory, responses.entries())
      saved = version
      isSavingBroken = false
    } catch (thrown) {
      if (!isSavingBroken)
        complain('warn', `answers about clients cannot be saved in ${directory}: ${messageOf(thrown)}`)
      isSavingBroken = true
    }
  }

  function complain(level: 'info' | 'warn', text: string): void {
    say({ level, subject: 'ocsp_cache', text })
  }

  /** Who asks by rules that are no more may end what it has begun. */
  function retire(): void {
    const old = [...askings.values()]
    askings.clear()
    for (const asking of old) {
      retired.add(asking)
      clock.wake(retireMs, () => {
        if (retired.delete(asking)) void asking.close()
      })
    }
  }

  async function settle(next: PeerDeskSettings, isFirst: boolean): Promise<void> {
    const before = isFirst ? undefined : settings.peerCache
    const after = next.peerCache
    if (JSON.stringify([settings.fetch, settings.verify]) !== JSON.stringify([next.fetch, next.verify])) retire()
    if (!isFirst && JSON.stringify(before) === JSON.stringify(after)) {
      settings = next
      return
    }
    if (before) await save()
    settings = next
    cancelSaving?.()
    cancelSaving = undefined
    if (after?.type !== 'local') {
      responses.clear()
      saved = responses.version
      return
    }
    if (before?.type !== 'local' || before.directory !== after.directory) {
      saved = -1
      await load(after.directory)
    }
    cancelSaving = repeat(clock, after.saveIntervalMs, () => void inTurn(save))
  }

  const loaded = inTurn(() => settle(first, true))

  return {
    async judge(question, signal) {
      // What rests on disk may hold what a CA that is gone now once said.
      await loaded
      return judgeChain(question, (policy, asked: AgedQuestion, abort) => askingFor(policy).ask(asked, abort), signal)
    },
    follow: (next) => inTurn(() => settle(next, false)),
    status() {
      const { peerCache } = settings
      if (peerCache === undefined) return undefined
      const [good, revoked, unknown] = (['good', 'revoked', 'unknown'] as const).map(responses.count)
      return { type: peerCache.type, ...counts, good: good ?? 0, revoked: revoked ?? 0, unknown: unknown ?? 0 }
    },
    async close() {
      cancelSaving?.()
      await inTurn(save)
      await Promise.all([...askings.values(), ...retired].map((asking) => asking.close()))
    },
  }
}

interface Asking {
  readonly ask: ReturnType<typeof createHeldAsker>
  close(): Promise<void>
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

const mostHeld = 10_000
/** Clients wait for it, each for another certificate; the keeper can take its time. */
const mostPerHost = 32
const mostAtOnce = 128
const retireMs = 60_000
/** A CA that did not answer is left alone for a moment, however many clients come. */
const unavailableMs = 1_000
