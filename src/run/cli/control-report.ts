/** How the commands that talk to a daemon say that they could not. */
import { isStapleError } from '../../errors.ts'
import type { ExitCode } from '../daemon/exit-code.ts'
import { CheckCode } from './check-code.ts'
import { ControlError } from './control-place.ts'
import type { Io } from './io.ts'
import { reportFailure } from './report.ts'

/**
 * Runs a command; says on stderr why nobody answered.
 *
 * @param usage - the exit code for a wrong command line or a configuration that cannot be read
 */
export async function reportingControl(io: Io, usage: ExitCode, command: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await command()
  } catch (thrown) {
    if (thrown instanceof ControlError) {
      io.stderr.write(`error: ${thrown.message}\n  hint: ${thrown.hint}\n`)
      return thrown.kind === 'usage' ? usage : CheckCode.unknown
    }
    const code = reportFailure(thrown, io)
    return isStapleError(thrown, 'ERR_CONFIG_READ') ? usage : code
  }
}
