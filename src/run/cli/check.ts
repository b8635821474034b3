/** `staplewright check`. */
import type { Io } from './io.ts'

export interface CheckArguments {
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function check(given: CheckArguments, io: Io): Promise<never> {
  throw new TypeError(`not written yet: ${given.json} ${io.workingDirectory}`)
}
