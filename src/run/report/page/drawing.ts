/** The window of a staple as SVG: thisUpdate, now, nextUpdate. */
import { formatMoment, formatSpan } from '../../journal/span.ts'
import { describeLeft } from '../facts.ts'
import type { StapleReport } from '../shape.ts'
import { placeIn, urgencyOf } from '../timeline.ts'
import { html, type Markup } from './markup.ts'

/** Draws it; nothing where it has no times. */
export function drawWindow(staple: StapleReport, at: Date, helps: boolean): Markup {
  const { thisUpdate, nextUpdate = staple.effectiveNextUpdate } = staple
  if (!thisUpdate || !nextUpdate) return html``
  const timeline = placeIn(thisUpdate, nextUpdate, at)
  const { place, position } = timeline
  const now = { before: left - 34, within: left + position * width, after: left + width + 34 }[place]
  const elapsed = { before: 0, within: position * width, after: width }[place]
  const label = `${describeLeft(timeline, helps)}; window of ${formatSpan(nextUpdate.getTime() - thisUpdate.getTime())}`
  return html`<figure class="window ${urgencyOf(timeline, helps)}">
<svg viewBox="${place === 'before' ? 0 : left - 4} 0 ${width + left + 10} 76" role="img" aria-label="${label}">
<rect class="all" x="${left}" y="30" width="${width}" height="10" rx="5"/>
<rect class="elapsed" x="${left}" y="30" width="${round(elapsed)}" height="10" rx="5"/>
<line class="now" x1="${round(now)}" x2="${round(now)}" y1="22" y2="48"/>
<text class="now" x="${round(now)}" y="15" text-anchor="middle">now</text>
<text x="${left}" y="56">thisUpdate</text><text x="${left}" y="71">${formatMoment(thisUpdate)}</text>
<text x="${left + width}" y="56" text-anchor="end">nextUpdate</text>
<text x="${left + width}" y="71" text-anchor="end">${formatMoment(nextUpdate)}</text>
</svg>
<figcaption>${label}</figcaption>
</figure>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** In the units of the viewBox; at its sides there is room for a now outside of the window. */
const width = 560
const left = 50
