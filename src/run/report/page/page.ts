/**
 * The report as one page: nothing in it is loaded from anywhere, no script runs, and every word of a stranger is escaped.
 *
 * A Content-Security-Policy says the same to the browser, should a defect of ours let something through.
 */
import { formatMoment } from '../../journal/span.ts'
import { describeLook } from '../facts.ts'
import type { CheckReport } from '../shape.ts'
import { countVerdicts } from '../verdict.ts'
import { html, type Markup } from './markup.ts'
import { style } from './style.ts'
import { formatTarget } from './target.ts'

/** Formats the whole page. */
export function formatPage(report: CheckReport): string {
  const { targets, verdict, at, elapsedMs, unchecked } = report
  const [only, ...others] = targets
  const isOne = only !== undefined && others.length === 0
  const title = isOne ? only.target : `${targets.length} targets`
  const look = describeLook({
    connections: targets.flatMap(({ connections }) => connections),
    elapsedMs,
    notes: [...new Set(targets.flatMap(({ notes }) => notes))],
  })
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${verdict}: ${title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
<main>
<h1>OCSP staples of ${title}</h1>
<p class="faint">Looked at ${formatMoment(at)}${isOne ? '' : `: ${countVerdicts(targets)}`}${
    unchecked === 0 ? '' : `; interrupted, ${unchecked} not looked at`
  }</p>
${isOne ? undefined : formatTable(report)}${targets.map(formatTarget)}<footer>
<p>${look}.</p>
<p>Made by staplewright check.</p>
</footer>
</main>
</body>
</html>
`
  return page.markup
}

function formatTable({ targets }: CheckReport): Markup {
  const rows = targets.map(
    ({ verdict, target, because }, index) =>
      html`<tr class="${verdict}"><td><span class="badge">${verdict}</span></td><td><a href="#t${index}">${target}</a></td><td>${because}</td></tr>
`,
  )
  return html`<div class="scroll"><table class="targets">
<tr><th>verdict</th><th>target</th><th>because</th></tr>
${rows}</table></div>
`
}
