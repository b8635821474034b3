/**
 * The command line: which commands there are and what they take. Each command lives in a file of its own and is loaded
 * only when asked for, so that `--help` costs nothing.
 */
import { createRequire } from 'node:module'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { starttlsProtocols } from '../../check/probe/record.ts'
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

  program
    .command('check')
    .description('look at servers from outside: is the staple there, on every address and key type, and will it last?')
    .argument('[targets...]', 'host, host:port or an address with a port; the port is 443 if none is given')
    .option('-f, --file <file>', 'further targets, one per line; - is standard input')
    .option('-c, --config <file>', "the listeners of a configuration, and its sites' names")
    .option(
      '--starttls <protocol>',
      `begin in clear: ${starttlsProtocols.join(', ')} (else guessed from the port), or none`,
    )
    .option('--servername <name>', 'ask for this name (SNI) instead of the host')
    .option('--connections <count>', 'connections per address and certificate', parseCount, 5)
    .option('--timeout <duration>', 'for each step of a connection', '5s')
    .option('--ca-file <file>', "PEM of further roots, beside Node's and the system's")
    .option('--at <time>', 'judge as of this time, as 2026-11-28T03:00:00Z')
    .option('--no-phone-home', 'ask no responder and fetch nothing: look at the servers alone')
    .option('--revocation <policy>', 'what to ask the CA for: ocsp, crl or ocsp-then-crl', 'ocsp-then-crl')
    .option('--stack', 'look at TLS 1.3, HSTS and CAA records, too')
    .option('--parallel <count>', 'targets at the same time', parseCount, 8)
    .option('--json', 'the findings as JSON (docs/reference/check.md)')
    .option('--prometheus', 'the findings as metrics, for a textfile collector')
    .option('--html <file>', 'the findings as a page')
    .addHelpText('after', checkExitCodes)
    .action(async (targets: string[], options) => {
      const { check } = await import('./check.ts')
      exitCode = await check({ ...options, targets, wantsColour: program.opts().color }, io)
    })

  program
    .command('fetch')
    .description("fetch a certificate's staple once, verify it and write it")
    .argument('<certificate>', 'PEM with the certificate and its chain; - is standard input')
    .option('--issuer <file>', 'PEM or DER of the issuer, where it is not beside the certificate')
    .option('--out <file>', 'write the response there, atomically (else to standard output)')
    .option('--url <url>', "ask there instead of the certificate's own responder; several: with commas")
    .option('--hash <algorithm>', "the certID's hash: auto, sha1 or sha256", 'auto')
    .option('--method <method>', 'auto, get or post', 'auto')
    .option('--timeout <duration>', 'for the whole attempt', '30s')
    .option('--allow-revoked', 'write a revoked or unknown answer, too')
    .option('-v, --verbose', 'show what is asked and what comes')
    .option('--json', 'what came, as JSON')
    .addHelpText('after', fetchExitCodes)
    .action(async (certificate: string, options) => {
      const { fetch } = await import('./fetch.ts')
      exitCode = await fetch({ ...options, certificate, wantsColour: program.opts().color }, io)
    })

  program
    .command('inspect')
    .description('show certificates, OCSP requests, OCSP responses and CRLs field by field')
    .argument('<files...>', 'PEM or DER; - is standard input')
    .option('--cert <file>', 'judge responses and CRLs for this certificate, by every rule')
    .option('--issuer <file>', 'its issuer, where it is not beside it')
    .option('--at <time>', 'judge as of this time, as 2026-11-28T03:00:00Z')
    .option('--json', 'the fields and verdicts as JSON')
    .addHelpText('after', inspectExitCodes)
    .action(async (files: string[], options) => {
      const { inspect } = await import('./inspect.ts')
      exitCode = await inspect({ ...options, files, wantsColour: program.opts().color }, io)
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
      return monitored.has(words.find((word) => !word.startsWith('-')) ?? '') ? CheckCode.unknown : ExitCode.config
    }
    return reportFailure(thrown, io)
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError(`Expected a port from 0 to 65535.`)
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,4}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('Expected a number from 1 to 9999.')
}

/** Commands whose exit codes monitoring systems read. */
const monitored: ReadonlySet<string> = new Set(['status', 'check'])

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }

const serveExitCodes = `
Signals: SIGTERM and SIGINT drain and end, SIGHUP reads the configuration again
         and asks every responder.
Exit codes: 0 ended as asked, 1 internal (a port in use), 2 configuration or usage,
            3 revoked and the policy is to stop, 4 a needed staple did not come.`

const checkExitCodes = `
Exit codes, as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 could not be learned, or usage.

Examples:
  staplewright check example.com mail.example.com:25
  staplewright check -f targets.txt --prometheus > /var/lib/node_exporter/staples.prom
  staplewright check -c /etc/staplewright.conf`

const fetchExitCodes = `
Exit codes: 0 written, 1 never (no responder, revoked, unknown), 2 usage,
            75 try later (network, tryLater, a certificate too young).`

const inspectExitCodes = `
Exit codes: 0 accepted, or only shown, 1 refused, 2 not to be decoded, or usage.`

const statusExitCodes = `
Exit codes, as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 no daemon answers or usage.`

const reloadExitCodes = `
Exit codes: 0 reloaded, 1 refused (what was in force goes on), 2 usage, 3 no daemon answers.`

const refreshExitCodes = `
Exit codes: 0 all answered, 1 some failed, 2 usage, 3 no daemon answers.`
