/**
 * The command line: what all commands share. What each takes is declared in declare/, one file per group; each lives in a
 * file of its own and is loaded only when asked for, so that `--help` costs nothing.
 */
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { ExitCode } from '../daemon/exit-code.ts'
import { CheckCode } from './check-code.ts'
import { declareCheck } from './declare/check.ts'
import type { CommandLine } from './declare/command-line.ts'
import { declareControl } from './declare/control.ts'
import { declareDemo, declareFront } from './declare/front.ts'
import { declareStaple } from './declare/staple.ts'
import type { FetchCode } from './fetch/exit-code.ts'
import type { Io } from './io.ts'
import { reportFailure } from './report.ts'

/** Runs one command line. Resolves with the exit code; never throws. */
export async function runProgram(words: readonly string[], io: Io): Promise<ExitCode | FetchCode> {
  let exitCode: ExitCode | FetchCode = ExitCode.ok
  const program = new Command('staplewright')
    .description('Keeps the OCSP staple of every TLS certificate you run fetched, proven, fresh and in place.')
    .version(version)
    .option('--no-color', 'plain text (NO_COLOR does the same)')
    .addHelpText('after', `\nExample:\n  staplewright demo\n  staplewright serve -c staplewright.conf -t`)
    .showHelpAfterError('(staplewright --help shows the commands)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride()
  const line: CommandLine = {
    program,
    io,
    wantsColour: () => program.opts().color,
    endWith(given) {
      exitCode = given
    },
  }
  for (const declare of [declareFront, declareCheck, declareStaple, declareControl, declareDemo]) declare(line)
  for (const command of program.commands) {
    command.showHelpAfterError(`(staplewright ${command.name()} --help shows what it takes)`)
  }

  const isMonitored = monitored.has(words.find((word) => !word.startsWith('-')) ?? '')
  let lost: NodeJS.ErrnoException | undefined
  io.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads only the beginning (`| head`) has lost nothing.
    if (error.code !== 'EPIPE') lost ??= error
  })

  try {
    await program.parseAsync([...words], { from: 'user' })
    await new Promise<void>((resolve) => io.stdout.write('', () => resolve()))
    if (lost === undefined) return exitCode
    io.stderr.write(`error: standard output cannot be written: ${lost.message}\n  hint: look for free space there\n`)
    return isMonitored ? CheckCode.unknown : ExitCode.internal
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return ExitCode.ok
      // To a monitoring system, 2 would say that something is critical.
      return isMonitored ? CheckCode.unknown : ExitCode.config
    }
    return reportFailure(thrown, io)
  }
}

/** Commands whose exit codes monitoring systems read. */
const monitored: ReadonlySet<string> = new Set(['status', 'check'])

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
