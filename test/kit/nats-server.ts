/**
 * Debian's nats-server with a configuration of stapling, and its HTTPS monitoring port, where TLS begins at the first
 * byte: any TLS client reads its staple there. (Its client port says INFO in clear first.)
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface NatsServerOptions {
  /** The value of `ocsp`, as `{ mode: always }`. */
  readonly ocsp: string
  readonly storeDir: string
  readonly certificateFile: string
  readonly keyFile: string
  /** The issuer alone: with the root in it too, 2.9.10 checks answers against the root and does not start. */
  readonly caFile: string
}

export interface NatsServer {
  readonly program: Program
  /** TLS from the first byte, with the staple. */
  readonly httpsPort: number
}

/** Starts one and resolves when it listens; it ends with the test. @throws with its output when it refuses to start */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const directory = temporaryDirectory('nats-server')
  const [port, httpsPort] = [await freePort(), await freePort()]
  await mkdir(options.storeDir, { recursive: true })
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    `listen: "127.0.0.1:${port}"
https: "127.0.0.1:${httpsPort}"
store_dir: "${options.storeDir}"
ocsp: ${options.ocsp}
tls {
  cert_file: "${options.certificateFile}"
  key_file: "${options.keyFile}"
  ca_file: "${options.caFile}"
  timeout: 5
}
`,
  )
  const program = startProgram('nats-server', ['-c', file], {
    cwd: directory,
    env: { http_proxy: undefined, HTTP_PROXY: undefined },
  })
  await program.waitFor(/Server is ready/, 30_000)
  await program.waitForPort(httpsPort)
  return { program, httpsPort }
}
