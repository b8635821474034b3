/** When the doors open: `on_start`, its defaults by mode, and what is known before the first answer. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { freePort } from '../kit/free-port.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { look, lookUntil, type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ thisUpdateAgeMs: 60_000 })
})

const soon = 'start_timeout: "600ms"'

describe('on_start: prefer', () => {
  test.each([
    ['by default in mode auto', '{ mode: auto }', []],
    ['by default in mode always', '{ mode: always }', []],
    ['when named in mode must', '{ mode: must }', ['on_start: prefer']],
  ])('opens with the staple when the responder is slow but in time, %s', async (_, ocsp, lines) => {
    const leaf = await stage.issue()
    await stage.responder.behave({ kind: 'good', delayMs: 700 })
    const port = await (await stage.start(leaf, ocsp, { lines: ['start_timeout: "20s"', ...lines] })).opened()
    expect(await look(port, leaf)).toBe('good')
  })

  test.each([
    ['by default in mode auto', '{ mode: auto }', []],
    ['by default in mode always', '{ mode: always }', []],
    ['when named in mode must', '{ mode: must }', ['on_start: prefer']],
  ])(
    'opens after start_timeout when the responder is down, and staples when it answers, %s',
    async (_, ocsp, lines) => {
      const leaf = await stage.issue()
      await stage.responder.behave('refuse')
      const daemon = await stage.start(leaf, ocsp, { lines: [soon, ...lines] })
      const port = await daemon.opened()
      expect(await look(port, leaf)).toBe('none')
      await stage.responder.behave('good')
      daemon.refresh()
      await lookUntil(port, leaf, 'good')
    },
  )

  test('tries again by itself: the staple is there soon after the responder is', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('refuse')
    const port = await (await stage.start(leaf, '{ mode: auto }', { lines: [soon] })).opened()
    await stage.responder.behave('good')
    await lookUntil(port, leaf, 'good')
  })

  test('opens with a certificate that can have no staple, and says so once', async () => {
    const leaf = await stage.issue({ responderURL: null })
    const daemon = await stage.start(leaf, '{ mode: auto }', { lines: [soon] })
    expect(await look(await daemon.opened(), leaf)).toBe('none')
    const said = () => daemon.log().filter((line) => line.event === 'unsupported')
    daemon.refresh()
    expect(await daemon.stop()).toBe(0)
    expect(said()).toHaveLength(1)
  })
})

describe('on_start: require', () => {
  test.each([
    ['by default in mode must', '{ mode: must }', []],
    ['when named in mode auto', '{ mode: auto }', ['on_start: require']],
    ['when named in mode always', '{ mode: always }', ['on_start: require']],
  ])('stays closed while the responder is down and opens when it answers, %s', async (_, ocsp, lines) => {
    const leaf = await stage.issue()
    await stage.responder.behave('refuse')
    const port = await freePort()
    const daemon = await stage.start(leaf, ocsp, { lines: [`listen: "127.0.0.1:${port}"`, soon, ...lines] })
    await daemon.waitForLine(/stay closed/)
    expect(await look(port, leaf)).toBe('refused')
    await stage.responder.behave('good')
    daemon.refresh()
    expect(await daemon.opened()).toBe(port)
    expect(await look(port, leaf)).toBe('good')
  })

  test('tries again by itself: the doors open soon after the responder is back', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('refuse')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: [soon] })
    await daemon.waitForLine(/stay closed/)
    await stage.responder.behave('good')
    expect(await look(await daemon.opened(), leaf)).toBe('good')
  })

  test('ends in order on SIGTERM while it is closed', async () => {
    const leaf = await stage.issue()
    await stage.responder.behave('refuse')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: [soon] })
    await daemon.waitForLine(/stay closed/)
    expect(await daemon.stop()).toBe(0)
  })

  test('opens at once where the mode staples nothing', async () => {
    const leaf = await stage.issue({ mustStaple: false })
    await stage.responder.behave('refuse')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['start_timeout: "60s"'] })
    expect(await look(await daemon.opened(), leaf)).toBe('none')
  })

  test('ends with exit code 4 at once, naming a certificate that can never be stapled', async () => {
    const leaf = await stage.issue({ responderURL: null })
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['start_timeout: "60s"'] })
    expect(await daemon.exitCode()).toBe(4)
    expect(daemon.program.output()).toContain('chain.pem')
  })
})

describe('on_start: exit', () => {
  test.each(['auto', 'must', 'always'])('ends with exit code 4 after start_timeout, mode %s', async (mode) => {
    const leaf = await stage.issue()
    await stage.responder.behave('httpError')
    const daemon = await stage.start(leaf, `{ mode: ${mode} }`, { lines: [soon, 'on_start: exit'] })
    expect(await daemon.exitCode()).toBe(4)
    expect(daemon.log().filter((line) => line.subject === 'front' && /^open on/.test(line.message))).toEqual([])
    expect(daemon.program.output()).toMatch(/chain\.pem.*500/)
  })

  test('opens as soon as the staple is in', async () => {
    const leaf = await stage.issue()
    const lines = ['start_timeout: "60s"', 'on_start: exit']
    const daemon = await stage.start(leaf, '{ mode: must }', { lines })
    expect(await look(await daemon.opened(), leaf)).toBe('good')
  })

  test('ends with exit code 4 at once, naming a certificate that can never be stapled', async () => {
    const leaf = await stage.issue({ mustStaple: false, responderURL: null })
    const daemon = await stage.start(leaf, '{ mode: always }', { lines: ['start_timeout: "60s"', 'on_start: exit'] })
    expect(await daemon.exitCode()).toBe(4)
    expect(daemon.program.output()).toContain('chain.pem')
  })
})

describe('a revocation in the store, mode must', () => {
  test('is asked about once more, and forgotten when the CA says good again', async () => {
    const { leaf, storeDir } = await storeRevocation()
    await stage.responder.behave({ kind: 'good', thisUpdateAgeMs: 0 })
    const daemon = await stage.start(leaf, '{ mode: must }', { storeDir, lines: ['start_timeout: "20s"'] })
    expect(await look(await daemon.opened(), leaf)).toBe('good')
  })

  test('is asked about once more, and ends with exit code 3 when the CA says the same', async () => {
    const { leaf, storeDir } = await storeRevocation()
    await stage.responder.behave({ kind: 'revoked', thisUpdateAgeMs: 0 })
    stage.responder.forget()
    const daemon = await stage.start(leaf, '{ mode: must }', { storeDir, lines: ['start_timeout: "60s"'] })
    expect(await daemon.exitCode()).toBe(3)
    expect(stage.responder.count).toBe(1)
  })

  test('ends with exit code 3 when nobody answers within start_timeout', async () => {
    const { leaf, storeDir } = await storeRevocation()
    await stage.responder.behave('hang')
    const daemon = await stage.start(leaf, '{ mode: must }', { storeDir, lines: [soon] })
    expect(await daemon.exitCode()).toBe(3)
    expect(daemon.log().filter((line) => line.subject === 'front' && /^open on/.test(line.message))).toEqual([])
  })
})

/** A store that holds a verified revocation, left behind by a run that did not mind it. */
async function storeRevocation(): Promise<{ leaf: Leaf; storeDir: string }> {
  const leaf = await stage.issue()
  const storeDir = temporaryDirectory('store')
  await stage.responder.behave('revoked')
  const daemon = await stage.start(leaf, '{ mode: auto }', { storeDir })
  expect(await look(await daemon.opened(), leaf)).toBe('revoked')
  expect(await daemon.stop()).toBe(0)
  return { leaf, storeDir }
}
