/** `staplewright fetch`. */
import type { Io } from './io.ts'

export interface FetchArguments {
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function fetch(given: FetchArguments, io: Io): Promise<never> {
  throw new TypeError(`not written yet: ${given.json} ${io.workingDirectory}`)
}
