/** The command that looks at servers from outside: `check`. */
import { starttlsProtocols } from '../../../check/probe/record.ts'
import { type CommandLine, parseCount } from './command-line.ts'

/** Declares it. */
export function declareCheck({ program, io, wantsColour, endWith }: CommandLine): void {
  program
    .command('check')
    .description('look at servers from outside: is the staple there, on every address and key type, and will it last?')
    .argument(
      '[targets...]',
      'host, host:port, [v6]:port, or a URL; the port is 443 if none is given; - is standard input',
    )
    .option('-f, --file <file>', 'further targets, one per line; - is standard input')
    .option('-c, --config <file>', "the listeners of a configuration, and its sites' names")
    .option(
      '--starttls <protocol>',
      `begin in clear: ${starttlsProtocols.join(', ')} (else guessed from the port), or none`,
    )
    .option('--servername <name>', 'ask for this name (SNI) instead of the host')
    .option('--connections <count>', 'connections per address and certificate', parseCount, 5)
    .option('--timeout <duration>', "for each step: name, connection, handshake, the CA's answer", '5s')
    .option('--ca-file <file>', "PEM of further roots, beside Node's and the system's")
    .option('--at <time>', 'judge as of this time, as 2026-11-28T03:00:00Z')
    .option('--no-phone-home', 'ask no responder and fetch nothing: look at the servers alone')
    .option('--revocation <policy>', 'what to ask the CA for: ocsp, crl or ocsp-then-crl', 'ocsp-then-crl')
    .option('--stack', 'look at TLS 1.3, HSTS and CAA records, too')
    .option('--parallel <count>', 'targets at the same time', parseCount, 8)
    .option('-v, --verbose', 'all of every target: each connection, and how to mend every kind of server')
    .option('--json', 'the findings as JSON (docs/reference/check.md)')
    .option('--prometheus', 'the findings as metrics, for a textfile collector')
    .option('--html <file>', 'the findings as a page')
    .addHelpText('after', checkExitCodes)
    .action(async (targets: string[], options) => {
      const { check } = await import('../check.ts')
      endWith(await check({ ...options, targets, wantsColour: wantsColour() }, io))
    })
}

const checkExitCodes = `
Exit codes, as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 could not be learned, or usage.

Examples:
  staplewright check example.com mail.example.com:25
  staplewright check -f targets.txt --html page.html
  staplewright check -c /etc/staplewright.conf`
