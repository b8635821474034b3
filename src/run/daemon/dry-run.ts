/**
 * `serve -t`: the configuration is read, and every staple is fetched and verified once, on memory alone.
 *
 * Nothing listens, nothing is written; the table says what the daemon would find.
 */
import { type Clock, systemClock } from '../../keep/clock.ts'
import type { EntryStatus } from '../../keep/keeper/index.ts'
import { memoryStore } from '../../keep/store/index.ts'
import type { Settings } from '../config/index.ts'
import { ExitCode } from './exit-code.ts'
import { createStapleKeeping } from './keep-staples.ts'
import { createRoster } from './roster.ts'

/** What a dry run found. */
export interface DryRun {
  readonly entries: readonly EntryStatus[]
  /** Certificates that the mode does not staple. */
  readonly unstapled: readonly string[]
  readonly exitCode: ExitCode
}

/** Fetches every staple once. */
export async function dryRun(settings: Settings, clock: Clock = systemClock): Promise<DryRun> {
  const keeping = createStapleKeeping(settings, clock, memoryStore())
  const { keeper } = keeping
  try {
    const { awaited } = createRoster(keeper, clock).add(settings)
    await Promise.all(awaited.map(({ certificateKey }) => keeper.settled(certificateKey)))
    const entries = awaited.flatMap(({ certificateKey }) => keeper.entry(certificateKey) ?? [])
    const kept = new Set(awaited.map(({ certificateKey }) => certificateKey))
    const unstapled = settings.sites
      .flatMap((site) => site.certificates)
      .filter(({ certificateKey }) => !kept.has(certificateKey))
      .map(({ label }) => label)
    return {
      entries,
      unstapled,
      exitCode: judge(
        entries,
        awaited.map(({ policies }) => policies.onStart !== 'prefer'),
      ),
    }
  } finally {
    await keeping.close()
  }
}

/** Revoked outranks missing; a certificate that can never be stapled is missing only where the start would not go on without. */
function judge(entries: readonly EntryStatus[], needs: readonly boolean[]): ExitCode {
  if (entries.some((entry) => entry.stapleState === 'revoked')) return ExitCode.revoked
  const isMissing = entries.some((entry, index) =>
    entry.stapleState === 'unsupported' ? needs[index] : entry.stapleState !== 'fresh' && entry.stapleState !== 'due',
  )
  return isMissing ? ExitCode.noStaple : ExitCode.ok
}
