/** What the tests of the verifying client stand on: a CA with its responder, certificates, and a client. */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { createPeerVerifier, type PeerVerifier, type PeerVerifierOptions } from '../../../src/check/peer/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'

export interface Stage {
  readonly authority: Authority
  readonly responder: ScriptedResponder
  readonly plain: Leaf
  readonly mustStaple: Leaf
}

export async function setStage(): Promise<Stage> {
  const authority = await createAuthority()
  const responder = await createScriptedResponder({ authority })
  const [plain, mustStaple] = await Promise.all([
    authority.issueLeaf({ responderURL: responder.url }),
    authority.issueLeaf({ responderURL: responder.url, mustStaple: true }),
  ])
  return { authority, responder, plain, mustStaple }
}

/** A client that may ask on this machine; it ends with the test. */
export function createClient(options: PeerVerifierOptions = {}): PeerVerifier {
  const verifier = createPeerVerifier({ privateAddresses: 'allow', proxy: 'none', ...options })
  endsWithTest(() => verifier.close())
  return verifier
}

/** Connects to a server of this machine as `localhost`. */
export async function connectTo(
  verifier: PeerVerifier,
  port: number,
  leaf: Leaf,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const target = { host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(leaf.rootFile) }
  const socket = await verifier.connect({ ...target, ...options })
  endsWithTest(() => socket.destroy())
  return socket
}

/** Resolves when it holds; the test's own timeout ends the wait. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
