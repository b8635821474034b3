/**
 * Renewals: certificate and key files that changed are read anew, without anybody asking for a reload.
 *
 * The configuration's own files are left out. What somebody is editing comes into force when they say so, not because a
 * certificate happened to be renewed meanwhile.
 */
import { basename } from 'node:path'
import type { Clock } from '../../keep/clock.ts'
import type { Settings } from '../config/index.ts'
import type { RenewalOutcome } from './reload.ts'
import { createFileWatch } from './watch.ts'

export interface RenewalWatch {
  /** These settings are in force. */
  follow(settings: Settings): void
  close(): void
}

export interface RenewalWatchOptions {
  readonly clock: Clock
  /** Reads certificates and keys anew; says that it is done, but not that it failed. */
  renew(because: string): Promise<RenewalOutcome>
  /** It is done, or for now given up. */
  ended(outcome: RenewalOutcome): void
  said(text: string, level: 'info' | 'error'): void
}

/** Creates a watch that follows nothing yet. */
export function watchRenewals({ clock, renew, ended, said }: RenewalWatchOptions): RenewalWatch {
  let changed: readonly string[] = []
  let changedAt = 0
  let change = 0
  let followed: Settings['sources'] | undefined
  let failureSaid: string | undefined
  let isRenewing = false
  let isClosed = false
  let cancelRetry: (() => void) | undefined
  const unwatchable = new Set<string>()

  const watch = createFileWatch({
    clock,
    differing(files) {
      changed = files
      changedAt = clock.monotonicMs()
      change++
      failureSaid = undefined
      void renewNow()
    },
    failed(directory, { code = 'it cannot be watched' }) {
      if (unwatchable.has(directory)) return
      unwatchable.add(directory)
      said(`changes in ${directory} are noticed within a minute, not at once (${code})`, 'info')
    },
  })

  async function renewNow(): Promise<void> {
    cancelRetry?.()
    cancelRetry = undefined
    if (isRenewing || isClosed || changed.length === 0) return
    isRenewing = true
    const began = change
    const outcome = await renew(describeChange(changed))
    isRenewing = false
    if (isClosed) return
    // Something changed in the meantime, maybe after it was read.
    if (change !== began) return renewNow()
    if (outcome.isDone) return ended(outcome)
    // A certificate and its key are written one after the other.
    if (outcome.isUnreadable && clock.monotonicMs() - changedAt < patienceMs) {
      cancelRetry = clock.wake(retryMs, renewNow)
      return
    }
    const failure = [outcome.message, ...(outcome.problems ?? [])].join('\n')
    if (failure !== failureSaid) {
      said(failure, 'error')
      ended(outcome)
    }
    failureSaid = failure
    // What is wrong with the files ends with another change of them; all else may pass.
    if (!outcome.isUnreadable) cancelRetry = clock.wake(laterMs, renewNow)
  }

  return {
    follow({ sources }) {
      // A gate that opens changes what is shown, but nothing of what was read.
      if (sources === followed) return
      followed = sources
      const digests = new Map<string, string>()
      for (const [file, { digest, text }] of sources) if (text === undefined) digests.set(file, digest)
      changed = []
      watch.follow(digests)
    },
    close() {
      isClosed = true
      cancelRetry?.()
      watch.close()
    },
  }
}

function describeChange(files: readonly string[]): string {
  const names = [...new Set(files.map((file) => basename(file)))]
  const more = names.length - namesShown
  return `${names.slice(0, namesShown).join(' and ')}${more > 0 ? ` and ${more} more` : ''} changed`
}

const patienceMs = 5_000
const retryMs = 500
const laterMs = 60_000
const namesShown = 3
