/** Debian's lighttpd, which staples the bytes of a file and fetches nothing. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Leaf } from './authority.ts'
import { freePort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface Lighttpd {
  readonly program: Program
  readonly port: number
}

/** Starts one with a certificate and a staple, both as files, and resolves when it takes connections. */
export async function startLighttpd(leaf: Leaf, staple: Uint8Array): Promise<Lighttpd> {
  const directory = temporaryDirectory('lighttpd')
  const port = await freePort()
  const [file, stapleFile] = [join(directory, 'lighttpd.conf'), join(directory, 'staple.der')]
  writeFileSync(stapleFile, staple)
  writeFileSync(
    file,
    `server.modules = ("mod_openssl")
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${port}
ssl.engine = "enable"
ssl.pemfile = "${leaf.certificateFile}"
ssl.privkey = "${leaf.keyFile}"
ssl.stapling-file = "${stapleFile}"
`,
  )
  const program = startProgram('lighttpd', ['-D', '-f', file], { cwd: directory, name: 'lighttpd' })
  await program.waitForPort(port)
  return { program, port }
}
