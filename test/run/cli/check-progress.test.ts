/** The line that says how far it is, and work that ends early. */
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { runInOrder } from '../../../src/run/cli/check/in-order.ts'
import { startProgress } from '../../../src/run/cli/check/progress.ts'
import type { Io } from '../../../src/run/cli/io.ts'
import { manualClock } from '../../kit/clock.ts'

describe('the progress line', () => {
  function begin(isTTY: boolean, TERM = 'xterm') {
    let written = ''
    const stream = new PassThrough().on('data', (chunk: Buffer) => {
      written += chunk
    })
    const clock = manualClock()
    const stderr = Object.assign(stream, { isTTY, columns: 80 })
    const io = { stderr, environment: { TERM } } as unknown as Io
    return { progress: startProgress(io, 40, clock), clock, written: () => written }
  }

  test('shows nothing in the first second', async () => {
    const { progress, clock, written } = begin(true)
    progress.step(false)
    await clock.advance(999)
    progress.end()
    await clock.advance(10_000)
    expect(written()).toBe('')
  })

  test('then says how far it is, and leaves nothing behind', async () => {
    const { progress, clock, written } = begin(true)
    for (let done = 0; done < 20; done++) progress.step(done < 3)
    await clock.advance(1_000)
    expect(written()).toContain(`${'━'.repeat(15)}${'─'.repeat(15)} 20 of 40 targets, 3 not well`)
    progress.end()
    expect(written()).toSatisfy((text: string) => text.endsWith('\r\u001b[K'))
    const before = written()
    await clock.advance(10_000)
    expect(written()).toBe(before)
    expect(clock.timers).toBe(0)
  })

  test.each([
    ['files and pipes', false, 'xterm'],
    ['terminals that cannot take a line back', true, 'dumb'],
  ])('is not for %s', async (_, isTTY, terminal) => {
    const { progress, clock, written } = begin(isTTY, terminal)
    await clock.advance(5_000)
    progress.end()
    expect(written()).toBe('')
  })
})

describe('work in order', () => {
  test('is done so many at a time, and its results come in the order of the things', async () => {
    let running = 0
    let most = 0
    const results = await runInOrder(
      [5, 1, 4, 2, 3],
      { parallel: 2, signal: new AbortController().signal },
      async (n) => {
        running += 1
        most = Math.max(most, running)
        for (let turn = 0; turn < n; turn++) await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        return n * 10
      },
    )
    expect(results).toEqual([50, 10, 40, 20, 30])
    expect(most).toBe(2)
  })

  test('ends at the signal with what is done, and begins nothing more', async () => {
    const end = new AbortController()
    const begun: number[] = []
    const results = await runInOrder([1, 2, 3, 4], { parallel: 1, signal: end.signal }, async (n) => {
      begun.push(n)
      if (n === 2) {
        end.abort()
        await new Promise(() => {})
      }
      return n
    })
    expect(results).toEqual([1, undefined, undefined, undefined])
    expect(begun).toEqual([1, 2])
  })

  test('fails as its work fails', async () => {
    const signal = new AbortController().signal
    const work = async () => {
      throw new RangeError('x')
    }
    await expect(runInOrder([1, 2], { parallel: 2, signal }, work)).rejects.toThrow(RangeError)
  })
})
