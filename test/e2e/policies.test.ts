/** What is served when the answer is not good, or there is none: `on_revoked`, `on_unknown`, `on_stale`. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { connectWithNode, type OpenConnection, openWithNode } from '../kit/clients/node.ts'
import type { RunningDaemon } from '../kit/daemon.ts'
import type { BehaviourOptions } from '../kit/responder.ts'
import { look, lookUntil, type Seen, type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ thisUpdateAgeMs: 60_000 })
})

describe('on_revoked', () => {
  test('staple: the revocation is what clients get, also in mode must', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: must }', ['on_revoked: staple'])
    await answer(daemon, 'revoked')
    await lookUntil(port, leaf, 'revoked')
    expect(daemon.program.hasEnded).toBe(false)
  })

  test('withhold: nothing is stapled, neither the revocation nor the good staple that was held', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: auto }', ['on_revoked: withhold'])
    await answer(daemon, 'revoked')
    await lookUntil(port, leaf, 'none')
    expect(daemon.program.hasEnded).toBe(false)
  })

  test('stop: ends in order with exit code 3, also in mode auto', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: auto }', ['on_revoked: stop'])
    await answer(daemon, 'revoked')
    expect(await daemon.exitCode()).toBe(3)
    expect(await look(port, leaf)).toBe('refused')
  })

  test('stop-site: handshakes for that site are refused, the other sites go on, each with its own policy', async () => {
    const [main, one, two] = (await Promise.all(
      ['main.test', 'one.test', 'two.test'].map((name) => stage.issue({ name, san: [name] })),
    )) as [Leaf, Leaf, Leaf]
    const siteOf = (leaf: Leaf, name: string, line = ''): string =>
      `{ names: ["${name}"], ${line} tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" } }`
    const sites = [siteOf(one, 'one.test', 'on_revoked: stop-site,'), siteOf(two, 'two.test')]
    const daemon = await stage.start(main, '{ mode: always }', { lines: [`sites: [ ${sites.join(', ')} ]`] })
    const port = await daemon.opened()
    const lookAtAll = (): Promise<Seen[]> =>
      Promise.all([look(port, main, 'main.test'), look(port, one, 'one.test'), look(port, two, 'two.test')])
    expect(await lookAtAll()).toEqual(['good', 'good', 'good'])

    await answer(daemon, 'revoked', {}, one)
    await expect.poll(lookAtAll, { timeout: 15_000, interval: 100 }).toEqual(['good', 'refused', 'good'])
    expect(daemon.program.hasEnded).toBe(false)
    await answer(daemon, 'revoked', {}, two)
    expect(await daemon.exitCode()).toBe(3)
  })

  test('a lifted revocation is noticed: the good staple is served again', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: auto }')
    await answer(daemon, 'revoked', { reason: 'certificateHold', thisUpdateAgeMs: 30_000 })
    await lookUntil(port, leaf, 'revoked')
    await answer(daemon, 'good')
    await lookUntil(port, leaf, 'good')
  })
})

describe('on_unknown', () => {
  test('keep, the default: the last good staple is served until it goes stale, then none', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: auto }', [], { thisUpdateAgeMs: 0, validityMs: 8000 })
    await answer(daemon, 'unknown')
    await daemon.waitForLine((line) => line.event === 'unknown')
    expect(await look(port, leaf)).toBe('good')
    await lookUntil(port, leaf, 'none')
  })

  test('keep: with none held nothing is stapled, and it counts as no staple', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('unknown')
    const daemon = await stage.start(leaf, '{ mode: auto }', { lines: ['start_timeout: "600ms"'] })
    expect(await look(await daemon.opened(), leaf)).toBe('none')
    await daemon.stop()
    const strict = await stage.start(leaf, '{ mode: auto }', { lines: ['start_timeout: "600ms"', 'on_start: exit'] })
    expect(await strict.exitCode()).toBe(4)
  })

  test('staple: the unknown is what clients get', async () => {
    const { leaf, daemon, port } = await startGood('{ mode: auto }', ['on_unknown: staple'])
    await answer(daemon, 'unknown')
    await lookUntil(port, leaf, 'unknown')
  })

  test('staple: at start it counts as in, where nothing better is held', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('unknown')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['on_unknown: staple'] })
    expect(await look(await daemon.opened(), leaf)).toBe('unknown')
  })

  test('stop: ends in order with exit code 3', async () => {
    const { daemon } = await startGood('{ mode: must }', ['on_unknown: stop'])
    await answer(daemon, 'unknown')
    expect(await daemon.exitCode()).toBe(3)
  })

  test('stop: does not open when it is so at start, exit code 3', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('unknown')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['on_unknown: stop'] })
    expect(await daemon.exitCode()).toBe(3)
    expect(daemon.log().filter((line) => line.subject === 'front' && /^open on/.test(line.message))).toEqual([])
  })
})

describe('on_stale, when the responder is gone and nextUpdate comes', () => {
  // Refreshed every two seconds while the responder is there.
  const brief = { thisUpdateAgeMs: 0, validityMs: 4000 }

  test.each(['auto', 'must', 'always'])('unstapled, the default in mode %s: handshakes go on without', async (mode) => {
    const { leaf, daemon, port } = await startGood(`{ mode: ${mode} }`, [], brief)
    await stage.responder.behave('refuse')
    await lookUntil(port, leaf, 'none')
    expect(await daemon.waitForLine((line) => line.event === 'stale')).toMatchObject({ level: 'error' })
    await stage.responder.behave('good')
    daemon.refresh()
    await lookUntil(port, leaf, 'good')
  })

  test('refuse: new handshakes are refused, open connections go on, and all is well again with the responder', async () => {
    const { leaf, port } = await startGood('{ mode: must }', ['on_stale: refuse'], brief)
    const connection = await openWithNode({ port, rootFile: leaf.rootFile })
    await stage.responder.behave('refuse')
    await lookUntil(port, leaf, 'refused')
    expect(await ask(connection)).toContain('200 OK')
    await stage.responder.behave('good')
    await lookUntil(port, leaf, 'good')
  })

  test.each(['1.2', '1.3'] as const)('refuse: a ticket from before does not open the door, TLS %s', async (version) => {
    const { leaf, port } = await startGood('{ mode: must }', ['on_stale: refuse'], brief)
    const target = { port, rootFile: leaf.rootFile, version }
    const connection = await openWithNode(target)
    expect(await ask(connection)).toContain('200 OK') // by then the tickets of TLS 1.3 have come
    const session = connection.sessions.at(-1)
    const options = { ...(session && { session }) }
    expect(await connectWithNode({ ...target, options })).toMatchObject({ connected: true, isReused: true })
    await stage.responder.behave('refuse')
    await lookUntil(port, leaf, 'refused')
    expect(await connectWithNode({ ...target, options })).toMatchObject({ connected: false })
  })
})

interface Started {
  readonly leaf: Leaf
  readonly daemon: RunningDaemon
  readonly port: number
}

/** Starts with a good staple in hand. */
async function startGood(
  ocsp: string,
  lines: readonly string[] = [],
  window: Omit<BehaviourOptions, 'kind'> = {},
): Promise<Started> {
  const leaf = await stage.issue()
  await stage.responder.behave({ kind: 'good', ...window })
  const daemon = await stage.start(leaf, ocsp, { lines })
  const port = await daemon.opened()
  expect(await look(port, leaf)).toBe('good')
  return { leaf, daemon, port }
}

/** A newer word from now on, about one certificate or all; and asked about at once. */
async function answer(
  daemon: RunningDaemon,
  kind: 'good' | 'revoked' | 'unknown',
  options: Omit<BehaviourOptions, 'kind'> = {},
  leaf?: Leaf,
): Promise<void> {
  await stage.responder.behave({ kind, thisUpdateAgeMs: 0, ...options }, leaf?.certificate.serialNumber)
  daemon.refresh()
}

function ask(connection: OpenConnection): Promise<string> {
  return connection.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
}
