/** What is done about files that changed: read anew, tried again while they are being written, and said once. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { digestOf, type Settings, type Source } from '../../../src/run/config/index.ts'
import type { RenewalOutcome } from '../../../src/run/daemon/reload.ts'
import { watchRenewals } from '../../../src/run/daemon/watch-renewals.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let directory: string
const at = (name: string) => join(directory, name)

beforeEach(() => {
  directory = temporaryDirectory('renewals')
  for (const name of ['tls.crt', 'tls.key', 'site.conf']) writeFileSync(at(name), 'one')
})

const done: RenewalOutcome = { isDone: true, message: 'reloaded', isUnreadable: false }
const unreadable: RenewalOutcome = {
  isDone: false,
  message: 'not reloaded',
  problems: ['the key does not fit'],
  isUnreadable: true,
}
const refused: RenewalOutcome = { isDone: false, message: 'not reloaded', problems: ['no staple'], isUnreadable: false }

function settings(): Settings {
  const one = Buffer.from('one')
  const sources = new Map<string, Source>([
    [at('site.conf'), { digest: digestOf(one), text: one }],
    [at('tls.crt'), { digest: digestOf(one) }],
    [at('tls.key'), { digest: digestOf(one) }],
  ])
  return { sources } as Partial<Settings> as Settings
}

/** Follows the files as they are; `answer` is what comes of reading them anew. */
function follow(answer: () => RenewalOutcome | Promise<RenewalOutcome>) {
  const clock = manualClock()
  const renewed: string[] = []
  const ended: RenewalOutcome[] = []
  const said: string[] = []
  const watch = watchRenewals({
    clock,
    async renew(because) {
      renewed.push(because)
      return answer()
    },
    ended: (outcome) => ended.push(outcome),
    said: (text) => said.push(text),
  })
  endsWithTest(watch.close)
  watch.follow(settings())
  const until = (condition: () => boolean, stepMs = 50) =>
    expect
      .poll(
        async () => {
          await clock.advance(stepMs)
          return condition()
        },
        { interval: 5, timeout: 10_000 },
      )
      .toBe(true)
  return { clock, watch, renewed, ended, said, until }
}

test('a certificate and key that changed are read anew, once', async () => {
  const { renewed, ended, said, until, clock } = follow(() => done)
  await clock.advance(100)
  writeFileSync(at('tls.crt'), 'two')
  writeFileSync(at('tls.key'), 'two')
  await until(() => ended.length > 0)
  expect(renewed).toEqual(['tls.crt and tls.key changed'])
  await clock.advance(50_000)
  expect(renewed.length).toBe(1)
  expect(said).toEqual([])
})

test('the configuration itself is not followed: what somebody edits comes into force when they say so', async () => {
  const { renewed, until } = follow(() => done)
  writeFileSync(at('site.conf'), 'half edit')
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length > 0)
  expect(renewed).toEqual(['tls.crt changed'])
})

test('what does not fit yet is tried again, and nothing is said when it fits within 5 s', async () => {
  let outcome = unreadable
  const { renewed, ended, said, until } = follow(() => outcome)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length >= 3)
  expect(ended).toEqual([])
  outcome = done
  await until(() => ended.length > 0)
  expect(ended).toEqual([done])
  expect(said).toEqual([])
})

test('the key that follows is tried at once', async () => {
  let outcome = unreadable
  const { renewed, ended, until } = follow(() => outcome)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length > 0)
  outcome = done
  writeFileSync(at('tls.key'), 'two')
  await until(() => ended.length > 0)
  expect(renewed).toContain('tls.crt and tls.key changed')
})

test('what does not fit for 5 s is said, once, and tried again when a file changes', async () => {
  const { renewed, ended, said, until, clock } = follow(() => unreadable)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length > 0)
  await clock.advance(4_400)
  expect(said).toEqual([])
  await clock.advance(1_500)
  expect(said).toEqual(['not reloaded\nthe key does not fit'])
  expect(ended).toEqual([unreadable])
  const tries = renewed.length
  await clock.advance(50_000)
  expect(renewed.length).toBe(tries)
  writeFileSync(at('tls.key'), 'two')
  await until(() => renewed.length > tries)
})

test('files that are back as they were are no more tried', async () => {
  const { renewed, said, until, clock } = follow(() => unreadable)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length > 0)
  writeFileSync(at('tls.crt'), 'one')
  // Nothing tells of it but that the tries end.
  let before = -1
  await until(() => {
    const isEnded = renewed.length === before
    before = renewed.length
    return isEnded
  }, 700)
  await clock.advance(10_000)
  expect(said).toEqual([])
})

test('a refusal that is not about the files is said at once, and tried again every minute without a word', async () => {
  let outcome = refused
  const { renewed, said, ended, until, clock } = follow(() => outcome)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => said.length > 0)
  expect(said).toEqual(['not reloaded\nno staple'])
  await clock.advance(60_000)
  expect(renewed.length).toBe(2)
  await clock.advance(60_000)
  expect(renewed.length).toBe(3)
  expect(said.length).toBe(1)
  outcome = done
  await clock.advance(60_000)
  expect(ended).toEqual([refused, done])
})

test('a change while files are read is not lost', async () => {
  let finish: (() => void) | undefined
  const { renewed, ended, until } = follow(
    () =>
      new Promise((resolve) => {
        finish = () => resolve(done)
      }),
  )
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length === 1)
  writeFileSync(at('tls.crt'), 'three')
  // It is noticed, but one at a time.
  await until(() => finish !== undefined, 300)
  await until(() => true, 5_000)
  finish?.()
  await until(() => renewed.length === 2)
  finish?.()
  await until(() => ended.length > 0)
})

test('nothing is left when it is closed', async () => {
  const { renewed, until, clock, watch } = follow(() => unreadable)
  writeFileSync(at('tls.crt'), 'two')
  await until(() => renewed.length > 0)
  watch.close()
  expect(clock.timers).toBe(0)
})
