/** The library that writes the text is loaded by the first scrape: a daemon that nobody scrapes never has it in memory. */
import { expect, test, vi } from 'vitest'
import { createMetrics } from '../../../src/run/metrics/index.ts'
import { daemonStatus } from '../../kit/admin-subject.ts'

const loaded = vi.hoisted(() => ({ isSo: false }))
vi.mock('prom-client', async (original) => {
  loaded.isSo = true
  return await original()
})

test('prom-client is not loaded before the first scrape', async () => {
  const metrics = createMetrics()
  metrics.record({ type: 'reloaded', isDone: true })
  expect(loaded.isSo).toBe(false)
  expect((await metrics.scrape(daemonStatus())).text).toContain('staplewright_reloads_total{outcome="done"} 1')
  expect(loaded.isSo).toBe(true)
})
