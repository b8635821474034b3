/** The commands about one staple in the hand: `fetch`, `inspect`. */
import { Option } from 'commander'
import type { CommandLine } from './command-line.ts'

/** Declares them. */
export function declareStaple({ program, io, wantsColour, endWith }: CommandLine): void {
  program
    .command('fetch')
    .description("fetch a certificate's staple once, verify it and write it")
    .argument('<certificate>', 'PEM with the certificate and its chain; - is standard input')
    .option('--issuer <file>', 'PEM or DER of the issuer, where it is not beside the certificate')
    .option(
      '--out <file>',
      'write the response there, atomically (else to standard output); in a directory: by its key',
    )
    .option('--url <url>', "ask there instead of the certificate's own responder; several: with commas")
    .addOption(
      new Option('--hash <algorithm>', "the certID's hash").choices(['auto', 'sha1', 'sha256']).default('auto'),
    )
    .addOption(new Option('--method <method>', 'of HTTP').choices(['auto', 'get', 'post']).default('auto'))
    .option('--timeout <duration>', 'for the whole attempt', '30s')
    .option('--allow-revoked', 'write a revoked or unknown answer, too')
    .option('-v, --verbose', 'show what is asked and what comes')
    .option('-q, --quiet', 'say nothing of a staple that was written')
    .option('--json', 'what came, as JSON (docs/guide/fetch.md)')
    .addHelpText('after', fetchExitCodes)
    .action(async (certificate: string, options) => {
      const { fetch } = await import('../fetch.ts')
      endWith(await fetch({ ...options, certificate, wantsColour: wantsColour() }, io))
    })

  program
    .command('inspect')
    .description('show certificates, OCSP requests, OCSP responses and CRLs field by field')
    .argument('<files...>', 'PEM or DER; - is standard input')
    .option('--cert <file>', 'judge responses and CRLs for this certificate, by every rule')
    .option('--issuer <file>', 'its issuer, where it is not beside it')
    .option('--at <time>', 'judge as of this time, as 2026-11-28T03:00:00Z')
    .option('--json', 'the fields and verdicts as JSON (docs/guide/inspect.md)')
    .addHelpText('after', inspectExitCodes)
    .action(async (files: string[], options) => {
      const { inspect } = await import('../inspect.ts')
      endWith(await inspect({ ...options, files, wantsColour: wantsColour() }, io))
    })
}

const fetchExitCodes = `
Exit codes: 0 written, 1 never (no responder, revoked, unknown), 2 usage,
            75 try later (network, tryLater, a certificate too young).`

const inspectExitCodes = `
Exit codes: 0 accepted, or only shown, 1 refused, 2 not to be decoded, or usage.`
