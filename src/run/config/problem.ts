/**
 * Problems of a configuration: collected, put in order, and printed as one text that a person acts on.
 */
import { type ConfigProblem, StapleError } from '../../errors.ts'
import type { Place } from './value.ts'

/** What is wrong, in the words of one problem. */
export interface Complaint {
  /** One line: what is wrong. */
  readonly summary: string
  readonly found: string
  readonly expected: string
  readonly hint: string
}

/** Binds a complaint to its key and place. */
export function createProblem({ file, line, column }: Place, path: string, complaint: Complaint): ConfigProblem {
  return { file, line, column, path, ...complaint }
}

/**
 * Creates the error of a configuration that cannot be used; its message is ready to print.
 *
 * Problems come in the order of the file, those of the command line first.
 */
export function createConfigError(problems: readonly ConfigProblem[]): StapleError<'ERR_CONFIG_INVALID'> {
  const ordered = orderProblems(problems)
  return new StapleError('ERR_CONFIG_INVALID', ordered.map(formatProblem).join('\n'), { problems: ordered })
}

/** In the order of the file, those of the command line first; files in the order they were met. */
export function orderProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const files = [...new Set(problems.map((problem) => problem.file))]
  const rank = (problem: ConfigProblem) => (isOption(problem.file) ? -1 : files.indexOf(problem.file))
  return [...problems].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
}

/** `file:line:column: key: what is wrong`, then what was found and expected, and what to do. */
function formatProblem({ file, line, column, path, summary, found, expected, hint }: ConfigProblem): string {
  const place = isOption(file) ? file : `${file}:${line}:${column}`
  const what = path === '' || isOption(file) ? summary : `${path}: ${summary}`
  return `${place}: ${what}\n  found: ${found}\n  expected: ${expected}\n  hint: ${hint}`
}

function isOption(file: string): boolean {
  return file.startsWith('--')
}
