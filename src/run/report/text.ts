/**
 * The report as a person reads it. The first line is the verdict and its reason, which is what monitoring systems show;
 * of several targets a table follows, and all about those that are not well.
 */
import type { Style } from '../journal/style.ts'
import { describeLook } from './facts.ts'
import type { CheckReport, TargetReport, Verdict } from './shape.ts'
import { formatTarget, type TextLook } from './text-target.ts'
import { countVerdicts } from './verdict.ts'
import { wrap } from './wrap.ts'

export type { TextLook } from './text-target.ts'

/** Formats the whole report. */
export function formatText(report: CheckReport, look: TextLook): string {
  const [only, ...others] = report.targets
  const lines =
    only !== undefined && others.length === 0 && report.unchecked === 0
      ? formatOne(only, look)
      : formatSeveral(report, look)
  const isKept = (line: string, index: number) => line !== '' || lines[index - 1] !== ''
  return `${lines.filter(isKept).join('\n')}\n`
}

function formatOne(target: TargetReport, look: TextLook): string[] {
  const { style } = look
  return [
    `${paintVerdict(target.verdict, target.verdict, style)}: ${style.strong(target.target)}: ${target.because}`,
    ...formatTarget(target, look),
    ...formatFoot(describeLook(target), look),
  ]
}

function formatSeveral(report: CheckReport, look: TextLook): string[] {
  const { style, isVerbose } = look
  const { targets, verdict, because, unchecked } = report
  const width = Math.min(longestLabel, Math.max(0, ...targets.map(({ target }) => target.length)))
  const left = unchecked === 0 ? '' : `; interrupted, ${unchecked} not looked at`
  const shown = because.slice(0, mostReasons).map((each) => `; ${each}`)
  const more = because.length > mostReasons ? `; and ${because.length - mostReasons} more` : ''
  const count =
    targets.length === 0
      ? 'no target'
      : `${targets.length} target${targets.length === 1 ? '' : 's'}: ${countVerdicts(targets)}`
  const detailed = targets.filter((each) => isVerbose || each.verdict !== 'ok')
  return [
    `${paintVerdict(verdict, verdict, style)}: ${count}${left}${shown.join('')}${more}`,
    '',
    ...targets.map(
      (each) =>
        `${paintVerdict(each.verdict, each.verdict.padEnd(8), style)}  ${each.target.padEnd(width)}  ${each.because}`,
    ),
    ...detailed.flatMap((each) => ['', formatHeading(each, look), ...formatTarget(each, look)]),
    ...formatFoot(
      describeLook({
        connections: targets.flatMap(({ connections }) => connections),
        elapsedMs: report.elapsedMs,
        notes: [...new Set(targets.flatMap(({ notes }) => notes))],
      }),
      look,
    ),
  ]
}

function formatHeading({ verdict, target }: TargetReport, { style, width }: TextLook): string {
  const rule = '─'.repeat(Math.max(2, width - verdict.length - target.length - 6))
  return `${style.dim('──')} ${paintVerdict(verdict, verdict, style)} ${style.strong(target)} ${style.dim(rule)}`
}

function formatFoot(text: string, { style, width }: TextLook): string[] {
  return ['', ...wrap(text, width).map(style.dim)]
}

function paintVerdict(verdict: Verdict, text: string, style: Style): string {
  const paint = { ok: style.good, warning: style.warn, critical: style.bad, unknown: style.bad }[verdict]
  return paint(text)
}

const mostReasons = 3
const longestLabel = 48
