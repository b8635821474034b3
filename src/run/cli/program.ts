/**
 * The command line: which commands there are and what they take. Each command lives in a file of its own and is loaded
 * only when asked for, so that `--help` costs nothing.
 */
import { createRequire } from 'node:module'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { ExitCode } from '../daemon/exit-code.ts'
import { CheckCode } from './check-code.ts'
import type { Io } from './io.ts'
import { reportFailure } from './report.ts'

/** Runs one command line. Resolves with the exit code; never throws. */
export async function runProgram(words: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok
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

  program
    .command('serve')
    .description('run the TLS front that a config file describes')
    .requiredOption('-c, --config <file>', 'the configuration, in the NATS format (docs/reference/config.md)')
    .option('-t, --test', 'check the configuration and fetch every staple once, then say what was found')
    .option('--listen <address>', 'listen here instead, as 127.0.0.1:8443; several: with commas')
    .option('--backend <url>', 'forward there instead, as tcp://127.0.0.1:8080 (tls://, nats://); several: with commas')
    .option('--json', 'log lines (with -t: the table) as JSON')
    .addHelpText('after', serveExitCodes)
    .action(async (options) => {
      const { serve } = await import('./serve.ts')
      exitCode = await serve({ ...options, wantsColour: program.opts().color }, io)
    })

  const control = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'the configuration that the daemon was started with')
      .option('--socket <path>', 'the Unix socket of the daemon')
      .option('--json', 'the answer as JSON (docs/reference/api.md)')

  control('status', 'tell how the running daemon and its staples are')
    .option('--url <url>', 'the admin port of the daemon, as http://127.0.0.1:8222')
    .addHelpText('after', statusExitCodes)
    .action(async (options) => {
      const { status } = await import('./status.ts')
      exitCode = await status({ ...options, wantsColour: program.opts().color }, io)
    })

  control('reload', 'have the running daemon read its configuration anew, as SIGHUP does')
    .addHelpText('after', reloadExitCodes)
    .action(async (options) => {
      const { reload } = await import('./reload.ts')
      exitCode = await reload(options, io)
    })

  control('refresh', 'have the running daemon ask the responders now')
    .argument('[certificate]', 'its file, site name, serial number or certificateKey (else all)')
    .addHelpText('after', refreshExitCodes)
    .action(async (certificate: string | undefined, options) => {
      const { refresh } = await import('./refresh.ts')
      const which = certificate === undefined ? {} : { certificate }
      exitCode = await refresh({ ...options, ...which, wantsColour: program.opts().color }, io)
    })

  program
    .command('demo')
    .description('see it work: a CA, its responder, a Must-Staple certificate, a backend, the front and a client')
    .option('--once', 'print the staple that a client gets, then end')
    .option('--port <port>', 'listen on exactly this port (else 8443, or the next free one)', parsePort)
    .action(async (options) => {
      const { demo } = await import('./demo.ts')
      exitCode = await demo({ ...options, wantsColour: program.opts().color }, io)
    })

  try {
    await program.parseAsync([...words], { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return ExitCode.ok
      // To a monitoring system, 2 would say that something is critical.
      return words.find((word) => !word.startsWith('-')) === 'status' ? CheckCode.unknown : ExitCode.config
    }
    return reportFailure(thrown, io)
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError(`Expected a port from 0 to 65535.`)
}

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }

const serveExitCodes = `
Signals: SIGTERM and SIGINT drain and end, SIGHUP reads the configuration again
         and asks every responder.
Exit codes: 0 ended as asked, 1 internal (a port in use), 2 configuration or usage,
            3 revoked and the policy is to stop, 4 a needed staple did not come.`

const statusExitCodes = `
Exit codes, as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 no daemon answers or usage.`

const reloadExitCodes = `
Exit codes: 0 reloaded, 1 refused (what was in force goes on), 2 usage, 3 no daemon answers.`

const refreshExitCodes = `
Exit codes: 0 all answered, 1 some failed, 2 usage, 3 no daemon answers.`
