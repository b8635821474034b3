/** The commands that talk to a running daemon: `status`, `reload`, `refresh`. */
import type { Command } from 'commander'
import type { CommandLine } from './command-line.ts'

/** Declares them. */
export function declareControl({ program, io, wantsColour, endWith }: CommandLine): void {
  const control = (name: string, description: string): Command =>
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
      const { status } = await import('../status.ts')
      endWith(await status({ ...options, wantsColour: wantsColour() }, io))
    })

  control('reload', 'have the running daemon read its configuration anew, as SIGHUP does')
    .addHelpText('after', reloadExitCodes)
    .action(async (options) => {
      const { reload } = await import('../reload.ts')
      endWith(await reload(options, io))
    })

  control('refresh', 'have the running daemon ask the responders now')
    .argument('[certificate]', 'its file, site name, serial number or certificateKey (else all)')
    .addHelpText('after', refreshExitCodes)
    .action(async (certificate: string | undefined, options) => {
      const { refresh } = await import('../refresh.ts')
      const which = certificate === undefined ? {} : { certificate }
      endWith(await refresh({ ...options, ...which, wantsColour: wantsColour() }, io))
    })
}

const statusExitCodes = `
Exit codes, as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 no daemon answers or usage.`

const reloadExitCodes = `
Exit codes: 0 reloaded, 1 refused (what was in force goes on), 2 usage, 3 no daemon answers.`

const refreshExitCodes = `
Exit codes: 0 all answered, 1 some failed, 2 usage, 3 no daemon answers.`
