/** Debian's HAProxy with a configuration of a test's own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

/** Starts one with `sections` (frontends, backends, listens) and resolves when it takes connections on the port. */
export async function startHaproxy(sections: string, port: number): Promise<Program> {
  const directory = temporaryDirectory('haproxy')
  const file = join(directory, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  maxconn 200
defaults
  timeout connect 5s
  timeout client 20s
  timeout server 20s
${sections}
`,
  )
  // In the foreground, one process: it ends with its test.
  const program = startProgram('haproxy', ['-db', '-f', file], { cwd: directory, name: 'haproxy' })
  await program.waitForPort(port)
  return program
}
