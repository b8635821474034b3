/**
 * Debian's nats-server: with a configuration of stapling, and its HTTPS monitoring port, where TLS begins at the first
 * byte, so that any TLS client reads its staple there (its client port says INFO in clear first); or as a backend, alone
 * or in a cluster.
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
  /** INFO in clear first, then TLS. */
  readonly port: number
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
  return { program, port, httpsPort }
}

export interface NatsBackendOptions {
  /** Default one that is free. */
  readonly port?: number
  /** Keep streams; not for one in a cluster, which would have to wait for others. */
  readonly hasJetStream?: boolean
  /** Further lines of its configuration. */
  readonly lines?: readonly string[]
}

export interface NatsBackend {
  readonly program: Program
  readonly port: number
  /** As `backend` wants it in a configuration. */
  readonly url: string
}

/** Starts one without TLS and resolves when it listens; it ends with the test. */
export async function startNatsBackend(options: NatsBackendOptions = {}): Promise<NatsBackend> {
  const directory = temporaryDirectory('nats-backend')
  const { port = await freePort(), hasJetStream = false, lines = [] } = options
  const file = join(directory, 'nats.conf')
  const streams = hasJetStream ? [`jetstream { store_dir: "${directory}" }`] : []
  await writeFile(file, [`listen: "127.0.0.1:${port}"`, ...streams, ...lines, ''].join('\n'))
  const program = startProgram('nats-server', ['-c', file], { cwd: directory, graceMs: 1_000 })
  await program.waitFor(/Server is ready/, 30_000)
  await program.waitForPort(port)
  return { program, port, url: `tcp://127.0.0.1:${port}` }
}
