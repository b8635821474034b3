/** What each group of commands needs to declare itself. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { ExitCode } from '../../daemon/exit-code.ts'
import type { FetchCode } from '../fetch/exit-code.ts'
import type { Io } from '../io.ts'

export interface CommandLine {
  readonly program: Command
  readonly io: Io
  /** Whether colours are wanted, as far as the command line says. */
  wantsColour(): boolean
  /** Makes a command's exit code the program's. */
  endWith(exitCode: ExitCode | FetchCode): void
}

/** Parses a port; 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError(`Expected a port from 0 to 65535.`)
}

/** Parses how many there may be of something. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,4}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('Expected a number from 1 to 9999.')
}
