/** Whether the clocks can be believed: the wall clock beside the monotonic one, and beside those of the responders. */
import type { Clock } from '../clock.ts'

/** Steps up to this are what clocks do; longer ones are told. */
const noticeableStepMs = 30_000
/** What certificates and responses allow between clocks. */
const allowedSkewMs = 300_000
const mostResponders = 1_000

/**
 * Creates a look at the clock: by how much the wall clock stepped since the last look, or 0.
 *
 * A machine that slept shows as a step forward where the monotonic clock slept with it; where it did not, there is no
 * step, and what fell due meanwhile is found due.
 */
export function watchClock(clock: Clock): () => number {
  let wall = clock.now().getTime()
  let monotonic = clock.monotonicMs()
  return () => {
    const [wallBefore, monotonicBefore] = [wall, monotonic]
    wall = clock.now().getTime()
    monotonic = clock.monotonicMs()
    const stepMs = wall - wallBefore - (monotonic - monotonicBefore)
    return Math.abs(stepMs) > noticeableStepMs ? stepMs : 0
  }
}

/** Who is probably wrong. */
export type Suspect = 'our-clock' | 'responder' | 'unclear'

/**
 * Creates a judge of responders' HTTP Dates: says who is suspect when one is more than 5 min off, and is silent about
 * the same responder until that changes by as much.
 */
export function watchResponders(): (responderURL: string, skewMs: number) => Suspect | undefined {
  const skews = new Map<string, { latest: number; told: number | undefined }>()
  return (responderURL, skewMs) => {
    if (skews.size > mostResponders) skews.clear()
    const told = skews.get(responderURL)?.told
    const isOff = Math.abs(skewMs) > allowedSkewMs
    const isNews = isOff && (told === undefined || Math.abs(skewMs - told) > allowedSkewMs)
    skews.set(responderURL, { latest: skewMs, told: isNews ? skewMs : isOff ? told : undefined })
    if (!isNews) return undefined
    const others = [...skews].filter(([url]) => url !== responderURL).map(([, { latest }]) => latest)
    if (others.some((other) => Math.abs(other - skewMs) <= allowedSkewMs)) return 'our-clock'
    return others.some((other) => Math.abs(other) <= allowedSkewMs) ? 'responder' : 'unclear'
  }
}
