/**
 * What most end-to-end tests need: an authority, its responder, a backend, and Staplewright started between them as its
 * own process. A handshake is looked at by `openssl s_client`, which tells what came and has no opinion on it.
 */
import { expect } from 'vitest'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { type Backend, startBackend } from '../kit/backend.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import type { CertStatus } from '../kit/clients/outcome.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { createScriptedResponder, type ScriptedResponder, type ScriptedResponderOptions } from '../kit/responder.ts'

export interface Stage {
  readonly authority: Authority
  readonly responder: ScriptedResponder
  readonly backend: Backend
  /** A leaf that names the responder, Must-Staple unless said otherwise. */
  issue(options?: LeafOptions): Promise<Leaf>
  /** Starts Staplewright; `ocsp` as in {@link formatConfig}. */
  start(leaf: Leaf, ocsp?: string, options?: StartOptions): Promise<RunningDaemon>
}

export interface StartOptions {
  readonly storeDir?: string
  readonly lines?: readonly string[]
}

/** What a handshake showed: the staple's own word, `none`, or that there was no handshake. */
export type Seen = CertStatus | 'none' | 'refused'

/** Sets one up; it ends with the test. */
export async function setStage(options: Partial<ScriptedResponderOptions> = {}): Promise<Stage> {
  const authority = await createAuthority()
  const responder = await createScriptedResponder({ authority, ...options })
  const backend = await startBackend()
  return {
    authority,
    responder,
    backend,
    issue: (leafOptions) => authority.issueLeaf({ mustStaple: true, responderURL: responder.url, ...leafOptions }),
    start: (leaf, ocsp, { storeDir, lines } = {}) =>
      startDaemon(
        formatConfig({
          backend: backend.url,
          leaf,
          ...(ocsp !== undefined && { ocsp }),
          ...(storeDir !== undefined && { storeDir }),
          ...(lines && { lines }),
        }),
      ),
  }
}

/** Shakes hands once and tells what was stapled. */
export async function look(port: number, leaf: Pick<Leaf, 'rootFile'>, name = 'localhost'): Promise<Seen> {
  const { connected, staple, output } = await connectWithOpenssl({ port, rootFile: leaf.rootFile, name })
  if (!connected) return 'refused'
  if (!staple) throw new Error(`openssl did not tell about the staple:\n${output}`)
  return staple.present ? (staple.certStatus ?? 'unknown') : 'none'
}

/** Looks again and again until it is so: nothing is slept for. */
export async function lookUntil(
  port: number,
  leaf: Pick<Leaf, 'rootFile'>,
  seen: Seen,
  timeoutMs = 20_000,
): Promise<void> {
  await expect.poll(() => look(port, leaf), { timeout: timeoutMs, interval: 100 }).toBe(seen)
}
