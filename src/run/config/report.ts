/**
 * Where the loader puts what it finds: problems, which end in an error, and notices, which are said and passed over.
 */
import type { ConfigProblem } from '../../errors.ts'
import { type Complaint, createProblem } from './problem.ts'
import type { Notice } from './settings.ts'
import type { Source } from './source.ts'
import type { Place } from './value.ts'

/** Collects; refusing one thing never hides another. */
export interface Report {
  /** Something is wrong with what stands there. Answers undefined, so that a reader can end with it. */
  refuse(at: Place, path: string, complaint: Complaint): undefined
  note(at: Place, path: string, words: string): void
  /** Another file that the configuration is made of; without a source, one that could not be read. */
  read(file: string, source?: Source): void
}

/** Creates an empty report. */
export function createReport(): Report & {
  readonly problems: ConfigProblem[]
  readonly notices: Notice[]
  readonly files: Set<string>
  readonly sources: Map<string, Source>
} {
  const problems: ConfigProblem[] = []
  const notices: Notice[] = []
  const files = new Set<string>()
  const sources = new Map<string, Source>()
  return {
    problems,
    notices,
    files,
    sources,
    refuse(at, path, complaint) {
      // Several sites may share a file that cannot be read: one line about it is enough.
      const problem = createProblem(at, path, complaint)
      const isKnown = problems.some((each) => JSON.stringify(each) === JSON.stringify(problem))
      if (!isKnown) problems.push(problem)
      return undefined
    },
    note({ file, line, column }, path, words) {
      notices.push({ file, line, column, path, message: `${path}: ${words}` })
    },
    read(file, source) {
      files.add(file)
      if (source !== undefined) sources.set(file, source)
    },
  }
}
