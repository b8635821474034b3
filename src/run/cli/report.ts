/**
 * How a command says that it failed: `error:` with what was found and expected, `hint:` with what to do, and an exit code.
 */
import { errorTable, isStapleError } from '../../errors.ts'
import { printableLines } from '../../pki/der/text.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import type { Io } from './io.ts'

/**
 * Prints a failure to stderr and returns the exit code that stands for it.
 *
 * @param undone - what was not done with a configuration that is wrong
 */
export function reportFailure(thrown: unknown, io: Io, undone = 'nothing was started'): ExitCode {
  const say = (text: string) => io.stderr.write(`${printableLines(text)}\n`)
  if (isStapleError(thrown, 'ERR_CONFIG_INVALID')) {
    const count = thrown.detail.problems.length
    // Each problem is one line and its indented details.
    say(thrown.message.replace(/^(?! )/gm, 'error: '))
    say(`${count === 1 ? 'one problem' : `${count} problems`}; ${undone}`)
    return ExitCode.config
  }
  if (isStapleError(thrown)) {
    say(`error: ${thrown.message}\n  hint: ${errorTable[thrown.code].remedy}`)
    return thrown.code === 'ERR_CONFIG_READ' ? ExitCode.config : ExitCode.internal
  }
  say(`error: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`)
  say('  hint: this is a defect of Staplewright; please report it with the lines above')
  return ExitCode.internal
}
