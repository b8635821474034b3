/** The window of a staple, drawn on a terminal: thisUpdate, now, nextUpdate. */
import { formatMoment } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'
import { describeLeft } from './facts.ts'
import type { StapleReport } from './shape.ts'
import { placeIn, urgencyOf } from './timeline.ts'

/** The drawing: three lines and what follows from it. Empty where it has no times. */
export function drawStaple(staple: StapleReport, at: Date, helps: boolean, style: Style): string[] {
  const { thisUpdate, nextUpdate = staple.effectiveNextUpdate } = staple
  if (!thisUpdate || !nextUpdate) return []
  const timeline = placeIn(thisUpdate, nextUpdate, at)
  const paint = style[urgencyOf(timeline, helps)]
  const { place, position } = timeline
  const now = Math.min(cells - 1, Math.max(0, Math.floor(position * cells)))
  const bar = {
    before: `${paint('●')}  ${style.dim(`├${'─'.repeat(cells)}┤`)}`,
    within: `├${paint('━'.repeat(now))}${paint('●')}${style.dim('─'.repeat(cells - 1 - now))}┤`,
    after: `${paint(`├${'━'.repeat(cells)}┤`)}  ${paint('●')}`,
  }[place]
  // Under the bar, the captions at its ends and `now` under its mark, where there is room for it.
  const start = place === 'before' ? 3 : 0
  const width = cells + 2
  const mark = { before: 0, within: now + 1, after: width + 2 }[place]
  const captions = spread('thisUpdate', 'nextUpdate', width, start)
  return [
    bar,
    style.dim(put(captions, 'now', place === 'before' ? 0 : mark - 1)),
    style.dim(spread(formatMoment(thisUpdate), formatMoment(nextUpdate), width, start)),
    paint(describeLeft(timeline, helps)),
  ]
}

/** Two texts at the ends of a width. */
function spread(left: string, right: string, width: number, start: number): string {
  return `${' '.repeat(start)}${left}${right.padStart(width - left.length)}`
}

/** Writes a word over blanks, if there are any: what is there already stays. */
function put(line: string, word: string, at: number): string {
  const padded = line.padEnd(at + word.length)
  const from = Math.max(0, at)
  const around = padded.slice(Math.max(0, from - 1), from + word.length + 1)
  return around.trim() === '' ? `${padded.slice(0, from)}${word}${padded.slice(from + word.length)}` : line
}

/** Of the bar, without its ends: two moments stand under it. */
const cells = 44
