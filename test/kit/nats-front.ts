/** `staplewright serve` before NATS servers, with what such tests need around it: a CA, its responder, a certificate. */
import { expect } from 'vitest'
import { verifyOcspResponse } from '../../src/pki/ocsp/index.ts'
import { createAuthority, type Leaf } from './authority.ts'
import { type DaemonOptions, type RunningDaemon, startDaemon } from './daemon.ts'
import { createScriptedResponder, type ScriptedResponder } from './responder.ts'

export interface NatsStage {
  readonly responder: ScriptedResponder
  readonly leaf: Leaf
  /** The configuration of a front before these backends. */
  config(backends: string | readonly string[], options?: NatsFrontOptions): string
  start(backends: string | readonly string[], options?: NatsFrontOptions): Promise<NatsFront>
  /** Starts the text of a configuration. */
  run(config: string, options?: DaemonOptions): Promise<NatsFront>
}

export interface NatsFrontOptions {
  /** The value of `handshake_first`. */
  readonly handshakeFirst?: string
  /** Further top-level lines. */
  readonly lines?: readonly string[]
  /** Further lines of the `tls` block. */
  readonly tls?: readonly string[]
}

export interface NatsFront {
  readonly daemon: RunningDaemon
  readonly port: number
  /** Where clients of tests go, and whom they trust. */
  readonly target: { readonly port: number; readonly rootFile: string }
}

/** Sets one up; it ends with the test. */
export async function setNatsStage(): Promise<NatsStage> {
  const authority = await createAuthority()
  const responder = await createScriptedResponder({ authority })
  const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
  const config: NatsStage['config'] = (backends, { handshakeFirst, lines = [], tls = [] } = {}) =>
    [
      'listen: "127.0.0.1:0"',
      'protocol: nats',
      `backend: ${JSON.stringify(backends)}`,
      ...lines,
      'tls {',
      `  cert_file: "${leaf.certificateFile}"`,
      `  key_file: "${leaf.keyFile}"`,
      `  ca_file: "${leaf.caFile}"`,
      ...(handshakeFirst === undefined ? [] : [`  handshake_first: ${handshakeFirst}`]),
      ...tls.map((line) => `  ${line}`),
      '}',
      '',
    ].join('\n')
  const run: NatsStage['run'] = async (text, options) => {
    const daemon = await startDaemon(text, options)
    const port = await daemon.opened()
    return { daemon, port, target: { port, rootFile: leaf.rootFile } }
  }
  return { responder, leaf, config, run, start: (backends, options) => run(config(backends, options)) }
}

/** Expects a staple that is proven to be about the leaf, and good. */
export function expectGood(staple: Uint8Array | undefined, leaf: Leaf): void {
  expect(staple).toBeDefined()
  const { certificate, issuer } = leaf
  const verified = verifyOcspResponse(staple as Uint8Array, { certificate, issuer, at: new Date() })
  expect(verified.certStatus).toBe('good')
}
