/**
 * Reloads: the next configuration is got ready beside the one in force, and swapped in at once, or given up with the
 * reason. One after the other; a certificate behind its gate is swapped in by the same road when its gate opens.
 */
import { isStapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import type { ReloadOutcome } from '../admin/subject.ts'
import type { ListenerSettings, LoadedConfig, Settings } from '../config/index.ts'
import type { FrontHost, PreparedFront } from '../workers/host.ts'
import { certificateKeysOf, type House, judgeSlot, openGates, planHouse, rebuildHouse } from './house.ts'
import type { StapleKeeping } from './keep-staples.ts'
import { probeListeners } from './probe-listeners.ts'
import { describeFailure, ReloadRefused, refuseMissing } from './reload-refusal.ts'
import type { StapleSwitch } from './staple-switch.ts'

export interface ReloaderOptions {
  readonly clock: Clock
  readonly staples: StapleSwitch
  /** Where the front runs; undefined while the doors are closed. */
  host(): FrontHost | undefined
  /** Reads the configuration anew; with texts, only the certificates and keys that these name. */
  load(texts?: ReadonlyMap<string, Uint8Array>): Promise<LoadedConfig>
  house(): House
  /** The house in force from now on. */
  moveIn(house: House): void
  said(text: string, level: 'info' | 'notice' | 'warn' | 'error'): void
}

export interface Reloader {
  /** Reads everything anew. Never rejects; several that wait for their turn are one. */
  reload(because: string): Promise<ReloadOutcome>
  /**
   * Reads certificates and keys anew, under the configuration as it is in force. Never rejects; that it failed is for
   * the caller to say, for the files may be written at this moment.
   */
  renew(because: string): Promise<RenewalOutcome>
  /** Runs a task that no reload may meet. */
  inTurn<T>(task: () => Promise<T>): Promise<T>
  /** Something changed that may open a gate. */
  lookAtGates(): void
  /** Gives up what is under way. */
  close(): Promise<void>
}

export interface RenewalOutcome extends ReloadOutcome {
  /** The files themselves are to blame. */
  readonly isUnreadable: boolean
}

/** Creates a reloader. */
export function createReloader(options: ReloaderOptions): Reloader {
  const { clock, staples, load, said } = options
  const ending = new AbortController()
  const { log } = options.house().settings
  let { workers } = options.house().settings
  const retired = new Map<StapleKeeping, () => void>()
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<ReloadOutcome> | undefined
  let cancelDeadline: (() => void) | undefined
  let isLooking = false
  let noticesSaid: ReadonlySet<string> = new Set()

  /** One change at a time: each begins with what the one before it left. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task)
    last = result.catch(() => {})
    return result
  }

  async function reloadNow(because: string, texts?: ReadonlyMap<string, Uint8Array>): Promise<RenewalOutcome> {
    let next: House | undefined
    try {
      next = await getReady(await loadNow(texts))
      await swap(openGates(next, staples, clock.now()))
    } catch (thrown) {
      if (next) undo(next)
      const isUnreadable = isStapleError(thrown, 'ERR_CONFIG_INVALID')
      const message = `not reloaded (${because}); what was in force goes on`
      const problems = describeFailure(thrown)
      if (texts === undefined) said([message, ...problems].join('\n'), 'error')
      return { isDone: false, message, problems, isUnreadable }
    }
    const message = describeDone(because)
    said(message, 'notice')
    sayUnchangeable(options.house().settings)
    return { isDone: true, message, isUnreadable: false }
  }

  async function loadNow(texts: ReadonlyMap<string, Uint8Array> | undefined): Promise<Settings> {
    refuseEnded()
    const { settings, notices } = await load(texts)
    refuseEnded()
    const lines = notices.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
    for (const line of lines) if (texts === undefined || !noticesSaid.has(line)) said(line, 'info')
    noticesSaid = new Set(lines)
    return settings
  }

  /** The next house, with the staples that it cannot be without. */
  async function getReady(settings: Settings): Promise<House> {
    const before = options.house()
    const isOpen = options.host() !== undefined
    // Opened doors find out by themselves; those that were to be opened anyway were tried at the start.
    const isTried = ({ host, port }: ListenerSettings) =>
      before.settings.listeners.some((each) => each.host === host && each.port === port)
    if (!isOpen) await probeListeners(settings.listeners.filter((each) => !isTried(each)))
    const next = rebuildHouse(before, settings, clock)
    try {
      if (next.keeping !== before.keeping) staples.add(next.keeping.keeper)
      if (!isOpen) return next
      await awaitStaples(next, before)
      refuseEnded()
      refuseMissing(next, before)
      return next
    } catch (thrown) {
      undo(next)
      throw thrown
    }
  }

  /** The staples that the keeper has to find first, from the store or the responders; at most the time a start has. */
  async function awaitStaples({ enrolment, keeping, settings }: House, before: House): Promise<void> {
    const isKnown = (key: string) => keeping === before.keeping && before.enrolment.certificateKeys.has(key)
    const awaited = [...enrolment.certificateKeys].filter((key) => !isKnown(key))
    if (awaited.length === 0) return
    const settled = Promise.all(awaited.map((key) => keeping.keeper.settled(key)))
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        cancel()
        ending.signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = clock.wake(settings.startTimeoutMs, end)
      ending.signal.addEventListener('abort', end)
      settled.then(end, reject)
    })
  }

  async function swap(next: House): Promise<void> {
    const before = options.house()
    let prepared: PreparedFront | undefined
    const host = options.host()
    if (host !== undefined) prepared = await host.prepare(planHouse(next))
    if (ending.signal.aborted) {
      await prepared?.abort()
      refuseEnded()
    }
    staples.prefer(next.keeping.keeper)
    options.moveIn(next)
    await prepared?.commit().catch((thrown) => said(`the swap was not clean: ${String(thrown)}`, 'error'))
    next.enrolment.confirm()
    // A handshake that has begun ends on the certificate it began with.
    const graceMs = 2 * before.settings.timeouts.handshakeTimeoutMs + graceMoreMs
    next.roster.keepOnly(certificateKeysOf(next), graceMs)
    if (next.keeping !== before.keeping) retire(before.keeping, graceMs)
    watchDeadlines(next)
    const waited = new Set(before.slots.flatMap(({ wanted, old }) => (old ? [wanted.certificateKey] : [])))
    const opened = next.slots.filter(({ wanted, old }) => old === undefined && waited.has(wanted.certificateKey))
    for (const label of new Set(opened.map(({ wanted }) => wanted.label))) {
      said(`${label}: the new certificate is shown from now on`, 'notice')
    }
  }

  function undo(next: House): void {
    next.enrolment.undo()
    if (next.keeping === options.house().keeping) return
    staples.remove(next.keeping.keeper)
    next.keeping.close().catch((thrown) => said(`the new store did not close: ${String(thrown)}`, 'warn'))
  }

  function retire(keeping: StapleKeeping, graceMs: number): void {
    const end = async () => {
      retired.delete(keeping)
      staples.remove(keeping.keeper)
      await keeping.close().catch((thrown) => said(`the old store did not close: ${String(thrown)}`, 'warn'))
    }
    retired.set(keeping, clock.wake(graceMs, end))
  }

  async function lookNow(): Promise<void> {
    isLooking = false
    const house = options.house()
    if (ending.signal.aborted || options.host() === undefined) return
    const next = openGates(house, staples, clock.now())
    if (next.slots.every((slot, index) => slot.old === house.slots[index]?.old)) return watchDeadlines(house)
    try {
      await swap(next)
    } catch (thrown) {
      if (ending.signal.aborted) return
      said(['the new certificate could not be shown', ...describeFailure(thrown)].join('\n'), 'error')
      cancelDeadline?.()
      cancelDeadline = clock.wake(retryMs, lookAtGates)
    }
  }

  function lookAtGates(): void {
    if (isLooking || ending.signal.aborted || options.house().slots.every((slot) => slot.old === undefined)) return
    isLooking = true
    void inTurn(lookNow)
  }

  /** Some gates open by themselves at a time. */
  function watchDeadlines(house: House): void {
    cancelDeadline?.()
    cancelDeadline = undefined
    const now = clock.now()
    const deadlines = house.slots.flatMap((slot) => {
      const verdict = judgeSlot(slot, house, staples, now)
      return verdict.kind === 'waiting' && verdict.deadline ? [verdict.deadline.getTime()] : []
    })
    if (deadlines.length === 0 || ending.signal.aborted) return
    cancelDeadline = clock.wake(Math.max(0, Math.min(...deadlines) - now.getTime()), lookAtGates)
  }

  function refuseEnded(): void {
    if (ending.signal.aborted) throw new ReloadRefused('it is ending')
  }

  function describeDone(because: string): string {
    const house = options.house()
    const { keeper } = house.keeping
    const lines = house.slots.flatMap((slot) => {
      const { label, certificateKey, leaf } = slot.wanted
      const verdict = judgeSlot(slot, house, staples, clock.now())
      if (verdict.kind === 'waiting') return [`${label} waits behind the old certificate: ${verdict.cause}`]
      const reason = isMustStaple(leaf) && keeper.entry(certificateKey)?.unsupportedReason
      return reason ? [`${label} is Must-Staple and can never be stapled (${reason}): strict clients refuse it`] : []
    })
    return [`reloaded (${because})`, ...new Set(lines)].join('\n')
  }

  /** What another start is needed for. */
  function sayUnchangeable(settings: Settings): void {
    // Workers are started when the doors open.
    if (options.host() === undefined) workers = settings.workers
    const running = { workers, log }
    const keys = (['workers', 'log'] as const).filter(
      (key) => JSON.stringify(settings[key]) !== JSON.stringify(running[key]),
    )
    if (keys.length > 0) said(`${keys.join(' and ')}: the change counts from the next start on`, 'warn')
  }

  return {
    reload(because) {
      waiting ??= inTurn(() => {
        waiting = undefined
        return reloadNow(because)
      })
      return waiting
    },
    renew: (because) => inTurn(() => reloadNow(because, textsOf(options.house()))),
    inTurn,
    lookAtGates,
    async close() {
      ending.abort()
      cancelDeadline?.()
      await last
      await Promise.all(
        [...retired].map(([keeping, cancel]) => {
          cancel()
          return keeping.close().catch(() => {})
        }),
      )
    },
  }
}

/** The configuration as it is in force, whatever its files hold by now. */
function textsOf({ settings }: House): ReadonlyMap<string, Uint8Array> {
  const texts = new Map<string, Uint8Array>()
  for (const [file, { text }] of settings.sources) if (text !== undefined) texts.set(file, text)
  return texts
}

const graceMoreMs = 1_000
const retryMs = 5_000
