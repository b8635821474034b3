/** `staplewright inspect`. */
import type { Io } from './io.ts'

export interface InspectArguments {
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function inspect(given: InspectArguments, io: Io): Promise<never> {
  throw new TypeError(`not written yet: ${given.json} ${io.workingDirectory}`)
}
