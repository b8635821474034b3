/**
 * Reloads: the next configuration is got ready beside the one in force, and swapped in at once, or given up with the
 * reason. One after the other; a certificate behind its gate is swapped in by the same road when its gate opens.
 */
import { isStapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { ReloadOutcome } from '../admin/index.ts'
import type { LoadedConfig } from '../config/index.ts'
import type { FrontHost, PreparedFront } from '../workers/host.ts'
import { decideAdmission, type Known } from './admission.ts'
import { certificateKeysOf, type House, judgeSlot, openGates, planHouse, rebuildHouse } from './house.ts'
import type { StapleSwitch } from './staple-switch.ts'

export interface ReloaderOptions {
  readonly clock: Clock
  readonly staples: StapleSwitch
  /** Where the front runs; undefined while the doors are closed. */
  host(): FrontHost | undefined
  /** Reads the configuration anew. */
  load(): Promise<LoadedConfig>
  house(): House
  /** The house in force from now on. */
  moveIn(house: House): void
  said(text: string, level: 'info' | 'notice' | 'warn' | 'error'): void
}

export interface Reloader {
  /** Never rejects. */
  reload(because: string): Promise<ReloadOutcome>
  /** Something changed that may open a gate. */
  lookAtGates(): void
  close(): void
}

/** Creates a reloader. */
export function createReloader(options: ReloaderOptions): Reloader {
  const { clock, staples, load, said } = options
  let last: Promise<unknown> = Promise.resolve()
  let cancelDeadline: (() => void) | undefined
  let isLooking = false
  let isClosed = false

  /** One change at a time: each begins with what the one before it left. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task)
    last = result.catch(() => {})
    return result
  }

  async function reloadNow(because: string): Promise<ReloadOutcome> {
    let next: House | undefined
    try {
      const { settings, notices } = await load()
      for (const { file, line, column, message } of notices) said(`${file}:${line}:${column}: ${message}`, 'info')
      const before = options.house()
      next = rebuildHouse(before, settings, clock)
      const isNewKeeper = next.keeping !== before.keeping
      if (isNewKeeper) staples.add(next.keeping.keeper)
      if (options.host() !== undefined) {
        await awaitStaples(next, isNewKeeper)
        refuseMissing(next, before, isNewKeeper)
      }
      await swap(openGates(next, staples, clock.now()))
      const message = describeDone(because, next)
      said(message, 'notice')
      return { isDone: true, message }
    } catch (thrown) {
      if (next) undo(next)
      const message = `not reloaded (${because}); what was in force goes on`
      const problems = describeFailure(thrown)
      said([message, ...problems].join('\n'), 'error')
      return { isDone: false, message, problems }
    }
  }

  /** The staples that the keeper has to find first, from the store or the responders; at most the time a start has. */
  async function awaitStaples({ enrolment, keeping, settings }: House, isNewKeeper: boolean): Promise<void> {
    const awaited = isNewKeeper ? enrolment.awaited : enrolment.newcomers
    if (awaited.length === 0) return
    const settled = Promise.all(awaited.map(({ certificateKey }) => keeping.keeper.settled(certificateKey)))
    let cancel: (() => void) | undefined
    const late = new Promise<void>((resolve) => {
      cancel = clock.wake(settings.startTimeoutMs, resolve)
    })
    await Promise.race([settled, late])
    cancel?.()
  }

  /** Throws for certificates that replace nothing and may not be shown as they are, by the start policies. */
  function refuseMissing(next: House, before: House, isNewKeeper: boolean): void {
    const { keeper } = next.keeping
    const known = next.slots
      .filter((slot) => slot.old === undefined && !isShown(before, slot.wanted.certificateKey))
      .flatMap((slot): Known[] => {
        const awaited = next.enrolment.awaited.find((one) => one.certificateKey === slot.wanted.certificateKey)
        const entry = awaited && keeper.entry(awaited.certificateKey)
        return entry ? [{ awaited, entry, servable: keeper.servable(awaited.certificateKey) }] : []
      })
    const admission = decideAdmission(known, true)
    if (admission.kind === 'end') throw new ReloadRefused(admission.because)
    if (admission.kind === 'wait') {
      const names = admission.missing.map(
        ({ label, lastError }) => `${label}${lastError ? `: ${lastError.message}` : ''}`,
      )
      throw new ReloadRefused(`no staple (on_start: require) for ${names.join('; ')}`)
    }
    if (!isNewKeeper) return
    for (const { certificateKey, label } of next.enrolment.awaited) {
      if (before.keeping.keeper.servable(certificateKey).staple === undefined) continue
      if (keeper.servable(certificateKey).staple !== undefined) continue
      throw new ReloadRefused(`the staple of ${label} is held, and could not be had again with the new settings`)
    }
  }

  async function swap(next: House): Promise<void> {
    const before = options.house()
    let prepared: PreparedFront | undefined
    const host = options.host()
    if (host !== undefined) prepared = await host.prepare(planHouse(next))
    staples.prefer(next.keeping.keeper)
    options.moveIn(next)
    await prepared?.commit().catch((thrown) => said(`the swap was not clean: ${String(thrown)}`, 'error'))
    next.enrolment.confirm()
    // A handshake that has begun ends on the certificate it began with.
    const graceMs = 2 * before.settings.timeouts.handshakeTimeoutMs + graceMoreMs
    next.roster.keepOnly(certificateKeysOf(next), graceMs)
    if (next.keeping !== before.keeping) {
      clock.wake(graceMs, () => {
        staples.remove(before.keeping.keeper)
        before.keeping.close().catch((thrown) => said(`the old store did not close: ${String(thrown)}`, 'warn'))
      })
    }
    watchDeadlines(next)
  }

  function undo(next: House): void {
    next.enrolment.undo()
    if (next.keeping === options.house().keeping) return
    staples.remove(next.keeping.keeper)
    next.keeping.close().catch((thrown) => said(`the new store did not close: ${String(thrown)}`, 'warn'))
  }

  async function lookNow(): Promise<void> {
    isLooking = false
    const house = options.house()
    if (isClosed || options.host() === undefined) return
    const next = openGates(house, staples, clock.now())
    const opened = next.slots.filter((slot, index) => slot.old === undefined && house.slots[index]?.old !== undefined)
    if (opened.length === 0) return watchDeadlines(house)
    try {
      await swap(next)
      for (const { wanted } of opened) said(`${wanted.label}: the new certificate is shown from now on`, 'notice')
    } catch (thrown) {
      said(['the new certificate could not be shown', ...describeFailure(thrown)].join('\n'), 'error')
      cancelDeadline = clock.wake(retryMs, lookAtGates)
    }
  }

  function lookAtGates(): void {
    if (isLooking || isClosed || options.house().slots.every((slot) => slot.old === undefined)) return
    isLooking = true
    void inTurn(lookNow)
  }

  /** Some gates open by themselves at a time. */
  function watchDeadlines(house: House): void {
    cancelDeadline?.()
    const now = clock.now()
    const deadlines = house.slots.flatMap((slot) => {
      const verdict = judgeSlot(slot, house, staples, now)
      return verdict.kind === 'waiting' && verdict.deadline ? [verdict.deadline.getTime()] : []
    })
    if (deadlines.length === 0) return
    cancelDeadline = clock.wake(Math.max(0, Math.min(...deadlines) - now.getTime()), lookAtGates)
  }

  return {
    reload: (because) => inTurn(() => reloadNow(because)),
    lookAtGates,
    close() {
      isClosed = true
      cancelDeadline?.()
    },
  }

  function describeDone(because: string, next: House): string {
    const waiting = options.house().slots.flatMap((slot) => {
      const verdict = judgeSlot(slot, next, staples, clock.now())
      return verdict.kind === 'waiting' ? [`${slot.wanted.label} waits behind the old one: ${verdict.cause}`] : []
    })
    return [`reloaded (${because})`, ...waiting].join('\n')
  }
}

/** A configuration that is sound, and still not taken. */
class ReloadRefused extends Error {}

function isShown({ slots }: House, certificateKey: string): boolean {
  return slots.some(({ wanted, old }) => (old ?? wanted).certificateKey === certificateKey)
}

function describeFailure(thrown: unknown): string[] {
  if (isStapleError(thrown, 'ERR_CONFIG_INVALID')) return thrown.message.split(/\n(?! )/)
  if (thrown instanceof ReloadRefused || isStapleError(thrown)) return [thrown.message]
  return [thrown instanceof Error ? thrown.message : String(thrown)]
}

const graceMoreMs = 1_000
const retryMs = 5_000
