/** One target on the page: what was seen, what was found, each connection. */
import {
  describeConnection,
  describeStaple,
  type Fact,
  factsOfCa,
  factsOfCertificate,
  factsOfFailures,
  factsOfTarget,
  isHelpful,
} from '../facts.ts'
import { formatVersion } from '../rates.ts'
import type { CertificateReport, TargetReport } from '../shape.ts'
import { drawWindow } from './drawing.ts'
import { formatFinding } from './finding.ts'
import { html, type Markup } from './markup.ts'

/** Formats one. */
export function formatTarget(target: TargetReport, index: number): Markup {
  const { verdict, because, certificates, findings } = target
  return html`<section id="t${index}" class="${verdict}">
<h2><span class="badge">${verdict}</span> ${target.target}</h2>
<p>${because}</p>
${formatFacts(factsOfTarget(target))}${certificates.map((each) => formatCertificate(each, target))}${
  certificates.length === 0 ? undefined : formatFacts(factsOfFailures(target))
}${findings.map((each) => formatFinding(each, target))}${formatConnections(target)}</section>
`
}

function formatCertificate(certificate: CertificateReport, target: TargetReport): Markup {
  const staples = certificate.staples.map(
    (staple) =>
      html`${formatFacts([{ name: 'staple', text: describeStaple(staple, certificate.connections) }])}${drawWindow(staple, target.at, isHelpful(staple, certificate))}`,
  )
  return html`${formatFacts(factsOfCertificate(certificate, target))}${staples}${formatFacts(factsOfCa(certificate))}`
}

function formatFacts(facts: readonly Fact[]): Markup {
  if (facts.length === 0) return html``
  return html`<dl>${facts.map(({ name, text }) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>
`
}

function formatConnections({ connections }: TargetReport): Markup {
  if (connections.length === 0) return html``
  const rows = connections.map(
    (each) =>
      html`<tr><td>${each.address}</td><td>${formatVersion(each.version)}, ${each.keyFamilies.join(', ')}</td><td>${describeConnection(each)}</td></tr>
`,
  )
  return html`<details><summary>connections: ${connections.length}</summary><div class="scroll"><table>
<tr><th>address</th><th>offered</th><th>what came of it</th></tr>
${rows}</table></div></details>
`
}
