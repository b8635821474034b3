/** Debian's Apache with a configuration of a test's own: mod_ssl, which fetches its staples by itself. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Program, runProgram, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface Apache {
  /** The one that runs now. */
  readonly program: Program
  /** Ends it and starts it on other sections; resolves when it takes connections again. */
  restart(sections: string): Promise<void>
  /** What `apachectl graceful` does: the running one is told to load other sections. */
  reload(sections: string): void
}

/**
 * Starts one with `sections` (global lines, virtual hosts) and resolves when it takes connections on the port.
 *
 * @throws with its log when it refuses to start
 */
export async function startApache(sections: string, port: number): Promise<Apache> {
  const directory = temporaryDirectory('apache')
  const open = async (text: string) => {
    const program = startProgram('apache2', ['-f', writeConfig(directory, text, port), '-DFOREGROUND'], {
      cwd: directory,
      name: 'apache2',
    })
    // It listens before it has read its certificates: a handshake may come to nothing until it says so.
    await program.waitFor(/resuming normal operations/)
    return program
  }
  let program = await open(sections)
  return {
    get program() {
      return program
    },
    async restart(text) {
      await program.end()
      program = await open(text)
    },
    reload(text) {
      writeConfig(directory, text, port)
      program.kill('SIGUSR1')
    },
  }
}

/** What `apachectl configtest` says of sections; empty where it finds nothing wrong. */
export async function testApache(sections: string, port: number): Promise<string> {
  const file = writeConfig(temporaryDirectory('apache'), sections, port)
  const { code, output } = await runProgram('apache2', ['-t', '-f', file], { name: 'apache2 -t' })
  return code === 0 ? '' : output
}

const modules = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl']

function writeConfig(directory: string, sections: string, port: number): string {
  mkdirSync(join(directory, 'pages'), { recursive: true })
  chmodSync(directory, 0o755) // its children, who are not root, read what mod_md stores
  const file = join(directory, 'apache.conf')
  // As root it wants another user for its children; it reads keys before it changes to them.
  const user = userInfo().uid === 0 ? 'User nobody\nGroup nogroup\n' : ''
  writeFileSync(
    file,
    `${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`).join('')}
ServerRoot "${directory}"
ServerName localhost
DefaultRuntimeDir "${directory}"
PidFile apache.pid
ErrorLog "|$cat >&2"
LogLevel info
DocumentRoot pages
StartServers 2
Listen 127.0.0.1:${port}
${user}${sections}
`,
  )
  return file
}
