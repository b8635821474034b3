/** The modes: which certificates each staples, and what a signed revocation does to it. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { pageText } from '../kit/backend.ts'
import { openWithNode } from '../kit/clients/node.ts'
import type { RunningDaemon } from '../kit/daemon.ts'
import { look, lookUntil, type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
beforeEach(async () => {
  // Its answers are a little old, so that a test can give newer ones.
  stage = await setStage({ thisUpdateAgeMs: 60_000 })
})

const auto = [
  ['auto by default', undefined],
  ['ocsp: true', 'true'],
  ['mode: auto', '{ mode: auto }'],
] as const
const never = [
  ['ocsp: false', 'false'],
  ['mode: never', '{ mode: never }'],
] as const

describe.each(auto)('%s', (_, ocsp) => {
  test('staples a Must-Staple certificate', async () => {
    const leaf = await stage.issue()
    const port = await (await stage.start(leaf, ocsp)).opened()
    expect(await look(port, leaf)).toBe('good')
  })

  test('staples no other certificate, and asks nobody about it', async () => {
    const leaf = await stage.issue({ mustStaple: false })
    const port = await (await stage.start(leaf, ocsp)).opened()
    expect(await look(port, leaf)).toBe('none')
    expect(stage.responder.count).toBe(0)
  })
})

describe('mode auto, when the certificate is revoked', () => {
  test('keeps running, staples the truth and alarms', async () => {
    const leaf = await stage.issue()
    const daemon = await stage.start(leaf, '{ mode: auto }')
    const port = await daemon.opened()
    await revoke(leaf, daemon)
    expect(await daemon.waitForLine((line) => line.event === 'revoked')).toMatchObject({ level: 'error' })
    await lookUntil(port, leaf, 'revoked')
    const connection = await openWithNode({ port, rootFile: leaf.rootFile })
    expect(await connection.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain(pageText)
    expect(daemon.program.hasEnded).toBe(false)
  })

  test('starts, staples the truth and alarms', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('revoked')
    const daemon = await stage.start(leaf, '{ mode: auto }')
    expect(await look(await daemon.opened(), leaf)).toBe('revoked')
    expect(await daemon.waitForLine((line) => line.event === 'revoked')).toMatchObject({ level: 'error' })
  })
})

describe('mode must', () => {
  test('staples a Must-Staple certificate', async () => {
    const leaf = await stage.issue()
    const port = await (await stage.start(leaf, '{ mode: must }')).opened()
    expect(await look(port, leaf)).toBe('good')
  })

  test('staples no other certificate, and asks nobody about it', async () => {
    const leaf = await stage.issue({ mustStaple: false })
    await stage.responder.behave('revoked')
    const port = await (await stage.start(leaf, '{ mode: must }')).opened()
    expect(await look(port, leaf)).toBe('none')
    expect(stage.responder.count).toBe(0)
  })
})

describe('mode always', () => {
  test.each([
    ['a Must-Staple certificate', true],
    ['any other certificate', false],
  ])('staples %s', async (_, mustStaple) => {
    const leaf = await stage.issue({ mustStaple })
    const port = await (await stage.start(leaf, '{ mode: always }')).opened()
    expect(await look(port, leaf)).toBe('good')
  })
})

describe.each([
  ['must', true],
  ['always', true],
  ['always', false],
] as const)('mode %s, when the certificate is revoked (Must-Staple: %s)', (mode, mustStaple) => {
  test('shuts down in order: open connections finish, new ones are refused, exit code 3', async () => {
    const leaf = await stage.issue({ mustStaple })
    const daemon = await stage.start(leaf, `{ mode: ${mode} }`)
    const port = await daemon.opened()
    const connection = await openWithNode({ port, rootFile: leaf.rootFile })
    expect(await connection.ask('GET /first HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain(pageText)

    await revoke(leaf, daemon)
    await lookUntil(port, leaf, 'refused')
    expect(await connection.ask('GET /second HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain(pageText)
    expect(daemon.program.hasEnded).toBe(false)
    connection.socket.end()
    expect(await daemon.exitCode()).toBe(3)
  })

  test('does not open at all when it is so at start, exit code 3', async () => {
    const leaf = await stage.issue({ mustStaple })
    await stage.responder.behave('revoked')
    const daemon = await stage.start(leaf, `{ mode: ${mode} }`)
    expect(await daemon.exitCode()).toBe(3)
    expect(daemon.log().filter((line) => line.subject === 'front' && /^open on/.test(line.message))).toEqual([])
  })
})

describe.each(never)('%s', (_, ocsp) => {
  test('staples nothing, not even a Must-Staple certificate, warns of it and asks nobody', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('revoked')
    const daemon = await stage.start(leaf, ocsp)
    const port = await daemon.opened()
    expect(await look(port, leaf)).toBe('none')
    expect(await daemon.waitForLine(/Must-Staple/)).toMatchObject({ level: 'warn' })
    expect(stage.responder.count).toBe(0)
  })

  test('does not warn about a certificate without Must-Staple', async () => {
    const leaf = await stage.issue({ mustStaple: false })
    const daemon = await stage.start(leaf, ocsp)
    await daemon.opened()
    expect(await daemon.stop()).toBe(0)
    expect(daemon.log().filter(({ level }) => level === 'warn')).toEqual([])
  })
})

/** From now on revoked, with a newer word than the last one; and asked about at once. */
async function revoke(leaf: Leaf, daemon: RunningDaemon): Promise<void> {
  await stage.responder.behave({ kind: 'revoked', thisUpdateAgeMs: 0 }, leaf.certificate.serialNumber)
  daemon.refresh()
}
