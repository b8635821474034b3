/** Debian's HAProxy with a configuration of a test's own. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Leaf } from './authority.ts'
import { freePort } from './free-port.ts'
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

export interface StaplingHaproxy {
  readonly program: Program
  readonly port: number
  /** PEM: the leaf, its intermediate and the key; the staple lies beside it, `.ocsp`. */
  readonly certificateFile: string
  /** Where it takes commands. */
  readonly socket: string
}

/** Starts one that ends TLS itself and staples the bytes of the file beside its certificate. */
export async function startHaproxyWithStaple(leaf: Leaf, staple: Uint8Array): Promise<StaplingHaproxy> {
  const port = await freePort()
  const directory = temporaryDirectory('haproxy')
  const [certificateFile, socket] = [join(directory, 'site.pem'), join(directory, 'admin.sock')]
  await writeFile(certificateFile, leaf.chainPem + (await readFile(leaf.keyFile, 'utf8')))
  await writeFile(`${certificateFile}.ocsp`, staple)
  const program = await startHaproxy(
    `global
  stats socket ${socket} level admin
frontend site
  mode http
  bind 127.0.0.1:${port} ssl crt ${certificateFile}
  http-request return status 200 content-type text/plain string ok
`,
    port,
  )
  return { program, port, certificateFile, socket }
}
