/** docs/reference/metrics.md is made from the table; what it and the guide say in their alerts exists. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { metricTable } from '../../../src/run/metrics/index.ts'
import { mostListed } from '../../../src/run/metrics/sample.ts'
import { formatMetricsPage } from '../../../tools/metrics-page.ts'

const page = formatMetricsPage(metricTable)

test('docs/reference/metrics.md lists exactly the metrics', async () => {
  await expect(page).toMatchFileSnapshot('../../../docs/reference/metrics.md')
})

test.each(['docs/reference/metrics.md', 'docs/guide/admin.md'])('%s mentions only metrics that there are', (path) => {
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const mentioned = text.match(/\b(staplewright|process|nodejs)_[a-z_]+\b/g) ?? []
  expect(mentioned.filter((name) => !Object.hasOwn(metricTable, name))).toEqual([])
  expect(mentioned).not.toEqual([])
})

test('the page says how many certificates are listed at most', () => {
  expect(page).toContain(`more than ${mostListed.toLocaleString('en')} certificates`)
})

test('names are in base units: a counter ends in _total, a moment or a time in seconds, a size in bytes', () => {
  for (const [name, { type }] of Object.entries(metricTable)) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter')
    expect(name, name).not.toMatch(/_(ms|millis|minutes|hours|kb|mb)(_|$)/)
    if (/timestamp|time/.test(name)) expect(name).toMatch(/_seconds$/)
  }
})
