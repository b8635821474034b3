/** docs/reference/check.md is made from the tables by which the report is written; the guide has what the command takes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CheckCode } from '../../../src/run/cli/check-code.ts'
import * as fields from '../../../src/run/report/fields.ts'
import { checkMetrics } from '../../../src/run/report/metrics-table.ts'
import { formatCheckPage } from '../../../tools/check-page.ts'
import { runCommand } from '../../kit/io.ts'

test('docs/reference/check.md lists exactly the fields and metrics', async () => {
  await expect(formatCheckPage({ fields, metrics: checkMetrics })).toMatchFileSnapshot(
    '../../../docs/reference/check.md',
  )
})

const guide = readFileSync(new URL('../../../docs/guide/check.md', import.meta.url), 'utf8')

test('the guide tells every option, and no other', async () => {
  const { stdout } = await runCommand(['check', '--help'])
  // One that has a letter is told by it.
  const options = [...stdout.matchAll(/^ {2}(-\w|--[a-z-]+)/gm)]
    .map(([, option]) => option)
    .filter((each) => each !== '-h')
  const told = new Set(guide.match(/(?<![\w-])(-[cfv]|--[a-z][a-z-]+)(?![\w-])/g))
  expect(options.length).toBeGreaterThan(10)
  expect([...told].sort()).toEqual(options.sort())
})

test('the guide tells every exit code', () => {
  const codes = [...guide.matchAll(/^\| (\d) \| (\w+)/gm)].map(([, code]) => Number(code))
  expect(codes).toEqual(Object.values(CheckCode))
})
