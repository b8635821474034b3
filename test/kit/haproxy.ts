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

/** Starts one that ends TLS itself and staples the bytes of the file beside its certificate, `PEM.ocsp`. */
export async function startHaproxyWithStaple(
  leaf: Leaf,
  staple: Uint8Array,
): Promise<{ readonly program: Program; readonly port: number }> {
  const port = await freePort()
  const file = join(temporaryDirectory('haproxy'), 'site.pem')
  await writeFile(file, leaf.chainPem + (await readFile(leaf.keyFile, 'utf8')))
  await writeFile(`${file}.ocsp`, staple)
  const program = await startHaproxy(
    `frontend site
  mode http
  bind 127.0.0.1:${port} ssl crt ${file}
  http-request return status 200 content-type text/plain string ok
`,
    port,
  )
  return { program, port }
}
