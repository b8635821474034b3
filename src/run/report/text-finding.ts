/** A finding on a terminal: what is the case, what it means, what it rests on, and lines to copy that mend it. */
import type { Remedy, ServerKind } from '../../check/diagnose/finding.ts'
import type { Style } from '../journal/style.ts'
import { serverNames } from './facts.ts'
import type { FindingReport } from './shape.ts'
import { hang, wrap } from './wrap.ts'

export interface FindingLook {
  readonly style: Style
  readonly width: number
  readonly isVerbose: boolean
  /** The server that was recognised. */
  readonly server: ServerKind | undefined
}

/** Formats one finding. */
export function formatFinding(finding: FindingReport, look: FindingLook): string[] {
  const { style, width, isVerbose } = look
  const { severity, title, code, meaning, evidence } = finding
  const paint = { critical: style.bad, unknown: style.bad, warning: style.warn, info: style.strong, ok: style.good }
  const head = `${severityMarks[severity]} `
  const titled = hang(head, title, width)
  const last = titled.at(-1) ?? ''
  const isBeside = last.length + code.length + 4 <= width
  const lines = [
    ...titled.slice(0, -1).map(paint[severity]),
    `${paint[severity](last)}${isBeside ? style.dim(`  [${code}]`) : ''}`,
    ...(isBeside ? [] : [style.dim(`  [${code}]`)]),
  ]
  if (severity === 'ok' && !isVerbose) return lines
  const isBad = severity !== 'info' && severity !== 'ok'
  const shown = isVerbose ? evidence : isBad ? evidence.slice(0, mostEvidence) : []
  const left = evidence.length - shown.length
  return [
    ...lines,
    ...(meaning === '' ? [] : wrap(meaning, width - 2).map((line) => `  ${line}`)),
    ...shown.flatMap((each) => hang('  - ', each, width)).map(style.dim),
    ...(left > 0 && isBad ? [style.dim(`  - and ${left} more: -v shows them`)] : []),
    ...formatRemedies(finding.remedies, look),
  ]
}

/** Those for the server that was recognised; where none was, the first few. */
function formatRemedies(remedies: readonly Remedy[], { style, width, isVerbose, server }: FindingLook): string[] {
  const fitting = remedies.filter((each) => each.server === undefined || each.server === server)
  const isKnown = server !== undefined && fitting.some((each) => each.server === server)
  const wanted = isVerbose ? remedies : isKnown ? fitting : remedies.slice(0, mostRemedies)
  const hidden = remedies.filter((each) => !wanted.includes(each)).flatMap((each) => each.server ?? [])
  const names = [...new Set(hidden)].map((each) => serverNames[each])
  return [
    ...wanted.flatMap((remedy) => formatRemedy(remedy, style, width)),
    ...(names.length === 0
      ? []
      : wrap(`for ${names.join(', ')}: -v shows it`, width - 2).map((line) => style.dim(`  ${line}`))),
  ]
}

function formatRemedy({ server, text, lines = [] }: Remedy, style: Style, width: number): string[] {
  const who = server === undefined ? '' : `${serverNames[server]}: `
  const [first = '', ...rest] = hang('  → ', `${who}${text}`, width)
  return [
    who === '' ? first : first.replace(who.trimEnd(), style.strong(who.trimEnd())),
    ...rest,
    // Never wrapped: they are there to be copied.
    ...(lines.length === 0 ? [] : ['', ...lines.map((line) => `        ${line}`.trimEnd()), '']),
  ]
}

const severityMarks: Readonly<Record<FindingReport['severity'], string>> = {
  critical: '✗',
  unknown: '?',
  warning: '!',
  info: '·',
  ok: '✓',
}

const mostEvidence = 6
const mostRemedies = 3
