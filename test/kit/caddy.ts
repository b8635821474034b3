/** Debian's Caddy with a certificate from files, whose staple it fetches by itself while it starts. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Leaf } from './authority.ts'
import { freePort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface Caddy {
  readonly program: Program
  readonly port: number
  /** What it keeps from one run to the next; staples are in `caddy/ocsp`. */
  readonly directory: string
}

/**
 * Starts one and resolves when it takes connections: then it has asked the certificate's responder.
 *
 * @param directory - what an earlier one kept
 */
export async function startCaddy(leaf: Leaf, directory: string = temporaryDirectory('caddy')): Promise<Caddy> {
  const port = await freePort()
  const file = join(directory, 'Caddyfile')
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
}
https://localhost:${port} {
  bind 127.0.0.1
  tls ${leaf.certificateFile} ${leaf.keyFile}
  respond "served by Caddy"
}
`,
  )
  const program = startProgram('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
    cwd: directory,
    name: 'caddy',
    env: {
      XDG_DATA_HOME: directory,
      XDG_CONFIG_HOME: directory,
      HOME: directory,
      http_proxy: undefined,
      HTTP_PROXY: undefined,
    },
  })
  await program.waitForPort(port)
  return { program, port, directory }
}
