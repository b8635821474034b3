/** A terminator with a fake keeper before an echoing backend: what the tests of this folder begin with. */
import { createServer, type Socket } from 'node:net'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { defaultPolicies, type Policies } from '../../../src/serve/attach/policy.ts'
import {
  createTerminator,
  type TerminatorEvent,
  type TerminatorOptions,
  type TerminatorSite,
} from '../../../src/serve/terminator/index.ts'
import type { Leaf } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { type FakeKeeper, fakeKeeper, good } from '../fake-keeper.ts'

export const keyOf = (leaf: Leaf): string => certificateKey(leaf.der)

export type SiteChoices = Partial<Omit<TerminatorSite, 'policies' | 'certificates'>> & {
  readonly policies?: Partial<Policies>
}

/** A site that shows these certificates; mode always unless said. */
export function site(leaves: Leaf | readonly Leaf[], { policies, ...rest }: SiteChoices = {}): TerminatorSite {
  const mode = rest.mode ?? 'always'
  const shown = Array.isArray(leaves) ? leaves : [leaves]
  return {
    names: [],
    ...rest,
    mode,
    policies: { ...defaultPolicies(mode), ...policies },
    certificates: shown.map((leaf: Leaf) => ({ chain: leaf.chainPem, key: leaf.key, certificateKey: keyOf(leaf) })),
  }
}

/** Answers what it hears, says hello to nobody. */
export async function echoBackend(greeting = ''): Promise<{ port: number; url: string; connections: Socket[] }> {
  const connections: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.write(greeting)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    server.close()
    for (const connection of connections) connection.destroy()
  })
  const { port } = server.address() as { port: number }
  return { port, url: `tcp://127.0.0.1:${port}`, connections }
}

/** Starts a terminator on a free port; each certificate has the staple `staple of NAME` unless the keeper is given. */
export async function startTerminator(
  sites: readonly TerminatorSite[],
  options: Partial<TerminatorOptions> & { readonly keeper?: FakeKeeper } = {},
) {
  const keeper =
    options.keeper ??
    fakeKeeper(
      Object.fromEntries(sites.flatMap(({ certificates }) => certificates.map((one) => [one.certificateKey, good()]))),
    )
  const backend = options.backend ?? (await echoBackend()).url
  const terminator = createTerminator({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    backend,
    drainTimeoutMs: 50,
    ...options,
    sites,
    keeper,
  })
  const events: TerminatorEvent[] = []
  terminator.subscribe((event) => events.push(event))
  const [address] = await terminator.listen()
  endsWithTest(() => terminator.drain())
  return {
    terminator,
    keeper,
    events,
    port: address?.port as number,
    told: (type: TerminatorEvent['type']) => events.filter((event) => event.type === type),
    /** Resolves with the next such event. */
    next: <Type extends TerminatorEvent['type']>(type: Type) =>
      new Promise<Extract<TerminatorEvent, { type: Type }>>((resolve) => {
        const stop = terminator.subscribe((event) => {
          if (event.type !== type) return
          stop()
          resolve(event as Extract<TerminatorEvent, { type: Type }>)
        })
      }),
  }
}
