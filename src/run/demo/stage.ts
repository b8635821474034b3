/**
 * The demo's stage: a CA, its responder, a Must-Staple certificate for localhost, a backend, and the configuration
 * that a person would write for them. Everything is real and lives on 127.0.0.1 and in one temporary directory.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../keep/clock.ts'
import { createResponder } from '../../serve/responder/index.ts'
import { createDemoAuthority, type DemoAuthority } from './authority.ts'

export interface Stage {
  readonly authority: DemoAuthority
  readonly directory: string
  readonly configFile: string
  readonly rootFile: string
  readonly responderURL: string
  readonly backendURL: string
  /** Whether the responder answers at all. */
  readonly isResponderUp: boolean
  /** Whether the CA says revoked. */
  readonly isRevoked: boolean
  stopResponder(): Promise<void>
  startResponder(): Promise<void>
  /** A certificate hold, so that it can be lifted again. */
  revoke(): void
  unrevoke(): void
  close(): Promise<void>
}

/** How long the demo's responses live: short enough to watch one being replaced. */
export const demoValidityMs = 60_000

/** Sets the stage. The front itself is started by the caller, from `configFile`. */
export async function setStage(frontPort: number): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'staplewright-demo-'))
  let revokedSince: Date | undefined
  let isResponderUp = true

  const responderServer = createServer()
  const responderPort = await listen(responderServer, 0)
  const responderURL = `http://127.0.0.1:${responderPort}/`
  const authority = createDemoAuthority(responderURL, systemClock.now())
  const responder = createResponder({
    issuer: authority.intermediate,
    signer: { certificate: authority.intermediate, privateKey: authority.intermediateKey },
    clock: systemClock,
    validityMs: demoValidityMs,
    statusOf: (certID) => {
      if (certID.serialNumber !== authority.leaf.serialNumber) return { certStatus: 'unknown' }
      if (revokedSince)
        return { certStatus: 'revoked', revocationTime: revokedSince, revocationReason: 'certificateHold' }
      return { certStatus: 'good' }
    },
  })
  responderServer.on('request', responder.listener)

  const backend = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(
      `Hello from the backend: it speaks plain HTTP, the front before it speaks TLS and staples.\nYou asked for ${request.url}\n`,
    )
  })
  const backendPort = await listen(backend, 0)

  const rootFile = join(directory, 'root.pem')
  const configFile = join(directory, 'staplewright.conf')
  await writeFile(rootFile, authority.rootPem)
  await writeFile(join(directory, 'server.pem'), authority.chainPem)
  await writeFile(join(directory, 'server-key.pem'), authority.leafKeyPem, { mode: 0o600 })
  await writeFile(configFile, describeConfig(frontPort, backendPort))
  await chmod(directory, 0o700)

  return {
    authority,
    directory,
    configFile,
    rootFile,
    responderURL,
    backendURL: `tcp://127.0.0.1:${backendPort}`,
    get isResponderUp() {
      return isResponderUp
    },
    get isRevoked() {
      return revokedSince !== undefined
    },
    async stopResponder() {
      isResponderUp = false
      await close(responderServer)
    },
    async startResponder() {
      await listen(responderServer, responderPort)
      isResponderUp = true
    },
    revoke() {
      revokedSince = systemClock.now()
    },
    unrevoke() {
      revokedSince = undefined
    },
    async close() {
      await Promise.all([isResponderUp ? close(responderServer) : undefined, close(backend)])
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Paths are relative to the working directory, as in nats-server; the demo loads it from its own. */
function describeConfig(frontPort: number, backendPort: number): string {
  return `# What the demo runs; a front of your own needs little more.
listen: "127.0.0.1:${frontPort}"
backend: "tcp://127.0.0.1:${backendPort}"
ocsp { mode: always }
on_revoked: staple            # mode always alone would stop the server, with exit code 3
store_dir: "store"
tls { cert_file: "server.pem", key_file: "server-key.pem", ca_file: "root.pem" }
`
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
