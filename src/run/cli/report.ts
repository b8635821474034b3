/**
 * How a command says that it failed: `error:` with what was found and expected, `hint:` with what to do, and an exit code.
 */
import { errorTable, isStapleError } from '../../errors.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import type { Io } from './io.ts'

/**
 * Prints a failure to stderr and returns the exit code that stands for it.
 *
 * @param undone - what was not done with a configuration that is wrong
 */
export function reportFailure(thrown: unknown, io: Io, undone = 'nothing was started'): ExitCode {
  if (isStapleError(thrown, 'ERR_CONFIG_INVALID')) {
    const count = thrown.detail.problems.length
    // Each problem is one line and its indented details.
    io.stderr.write(`${thrown.message.replace(/^(?! )/gm, 'error: ')}\n`)
    io.stderr.write(`${count === 1 ? 'one problem' : `${count} problems`}; ${undone}\n`)
    return ExitCode.config
  }
  if (isStapleError(thrown)) {
    io.stderr.write(`error: ${thrown.message}\n  hint: ${errorTable[thrown.code].remedy}\n`)
    return thrown.code === 'ERR_CONFIG_READ' ? ExitCode.config : ExitCode.internal
  }
  io.stderr.write(`error: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`)
  io.stderr.write('  hint: this is a defect of Staplewright; please report it with the lines above\n')
  return ExitCode.internal
}
