/** A finding on the page. */
import type { Remedy } from '../../../check/diagnose/finding.ts'
import { serverNames } from '../facts.ts'
import type { FindingReport, TargetReport } from '../shape.ts'
import { html, type Markup } from './markup.ts'

/** Formats one; how to mend servers other than the one that was recognised is folded away. */
export function formatFinding(finding: FindingReport, { server }: TargetReport): Markup {
  const { severity, title, code, meaning, remedies } = finding
  const isOther = (remedy: Remedy) =>
    server !== undefined && remedy.server !== undefined && remedy.server !== server.kind
  const others = remedies.filter(isOther)
  const folded = html`<details><summary>if it is another server</summary>${others.map(formatRemedy)}</details>\n`
  return html`<article class="${severity}">
<h3>${title} <code>${code}</code></h3>
${meaning === '' ? undefined : html`<p>${meaning}</p>\n`}${formatEvidence(finding)}${remedies
  .filter((each) => !isOther(each))
  .map(formatRemedy)}${others.length === 0 ? undefined : folded}</article>
`
}

/** Folded away where nothing is wrong. */
function formatEvidence({ severity, evidence }: FindingReport): Markup {
  if (evidence.length === 0) return html``
  const list = html`<ul class="faint">${evidence.map((each) => html`<li>${each}</li>`)}</ul>\n`
  const isQuiet = severity === 'info' || severity === 'ok'
  return isQuiet ? html`<details><summary>evidence</summary>${list}</details>\n` : list
}

function formatRemedy({ server, text, lines = [] }: Remedy): Markup {
  const who = server === undefined ? undefined : html`<strong>${serverNames[server]}:</strong> `
  const block = lines.length === 0 ? undefined : html`<pre>${lines.join('\n')}</pre>\n`
  return html`<p>${who}${text}</p>
${block}`
}
