/** The commands that run a front: `serve`, and `demo` for a first look. */
import { type CommandLine, parsePort } from './command-line.ts'

/** Declares them. */
export function declareFront({ program, io, wantsColour, endWith }: CommandLine): void {
  program
    .command('serve')
    .description('run the TLS front that a config file describes')
    .requiredOption('-c, --config <file>', 'the configuration, in the NATS format (docs/reference/config.md)')
    .option('-t, --test', 'check the configuration and fetch every staple once, then say what was found')
    .option('--listen <address>', 'listen here instead, as 127.0.0.1:8443; several: with commas')
    .option('--backend <url>', 'forward there instead, as tcp://127.0.0.1:8080 (tls://, nats://); several: with commas')
    .option('--json', 'log lines as JSON, as they are where standard error is no terminal; with -t: the table')
    .addHelpText('after', serveExitCodes)
    .action(async (options) => {
      const { serve } = await import('../serve.ts')
      endWith(await serve({ ...options, wantsColour: wantsColour() }, io))
    })
}

/** Declares the demo, which the help shows last. */
export function declareDemo({ program, io, wantsColour, endWith }: CommandLine): void {
  program
    .command('demo')
    .description('see it work: a CA, its responder, a Must-Staple certificate, a backend, the front and a client')
    .option('--once', 'print the staple that a client gets, then end')
    .option('--port <port>', 'listen on exactly this port (else 8443, or the next free one)', parsePort)
    .action(async (options) => {
      const { demo } = await import('../demo.ts')
      endWith(await demo({ ...options, wantsColour: wantsColour() }, io))
    })
}

const serveExitCodes = `
Signals: SIGTERM and SIGINT drain and end, SIGHUP reads the configuration again
         and asks every responder.
Exit codes: 0 ended as asked, 1 internal (a port in use), 2 configuration or usage,
            3 revoked and the policy is to stop, 4 a needed staple did not come.`
