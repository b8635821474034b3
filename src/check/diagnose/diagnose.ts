/** Every rule applied to the evidence: the findings, the worst first, and the worst of them. Pure. */

import { printable } from '../../pki/der/text.ts'
import type { Evidence } from './evidence.ts'
import type { Finding, Severity } from './finding.ts'
import { healthy } from './rules/healthy.ts'
import { rules } from './rules.ts'

/** From the least to the worst: what could not be learned may be anything. */
const severities: readonly Severity[] = ['ok', 'info', 'warning', 'unknown', 'critical']

/** Applies every rule. Nothing found wrong: that is a finding, too. */
export function findAll(evidence: Evidence): Finding[] {
  const found = mergeAlike(rules.flatMap((rule) => rule.find(evidence))).map(withoutControls)
  const isWrong = found.some(({ severity }) => severity !== 'ok' && severity !== 'info')
  found.sort((one, other) => severities.indexOf(other.severity) - severities.indexOf(one.severity))
  // The verdict comes before what is only worth knowing.
  return isWrong ? found : [...healthy.find(evidence).map(withoutControls), ...found]
}

/** A farm of servers shows many staples with one fault: that is one finding, resting on all of them. */
function mergeAlike(findings: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>()
  for (const finding of findings) {
    const key = [finding.code, finding.severity, finding.certificateKey, finding.title].join('\n')
    const known = merged.get(key)
    const evidence = new Set([...(known?.evidence ?? []), ...finding.evidence])
    merged.set(key, { ...(known ?? finding), evidence: [...evidence].slice(0, mostEvidence) })
  }
  return [...merged.values()]
}

/** Lines of one finding; more than that nobody reads. */
const mostEvidence = 24

/** Names, headers and addresses are strangers' words: what would steer a terminal is shown as a question mark. */
function withoutControls(finding: Finding): Finding {
  return {
    ...finding,
    title: printable(finding.title),
    meaning: printable(finding.meaning),
    evidence: finding.evidence.map(printable),
    remedies: finding.remedies.map((remedy) => ({
      ...remedy,
      text: printable(remedy.text),
      ...(remedy.lines && { lines: remedy.lines.map(printable) }),
    })),
  }
}

/** The worst of them; what is only worth knowing counts as ok. */
export function worstOf(findings: readonly Finding[]): Exclude<Severity, 'info'> {
  const worst = Math.max(0, ...findings.map(({ severity }) => severities.indexOf(severity)))
  const severity = severities[worst] ?? 'ok'
  return severity === 'info' ? 'ok' : severity
}

/** What no check from outside can see, whatever was found. */
export const notes: readonly string[] = [
  'staples of intermediates cannot be seen: Node shows the staple of the leaf alone, though TLS 1.3 could carry one for each certificate (RFC 8446 §4.4.2.1)',
]
