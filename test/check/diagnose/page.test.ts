/** docs/reference/findings.md is made from the rules, and every code has a test. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { healthy } from '../../../src/check/diagnose/rules/healthy.ts'
import { rules } from '../../../src/check/diagnose/rules.ts'
import { formatFindingsPage } from '../../../tools/findings-page.ts'

const all = [healthy, ...rules]
const codes = all.flatMap((rule) => Object.keys(rule.codes))
const folder = new URL('.', import.meta.url)
const tests = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts') && file !== 'page.test.ts')
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  .join('\n')

it('docs/reference/findings.md lists exactly the codes', async () => {
  await expect(formatFindingsPage(all)).toMatchFileSnapshot('../../../docs/reference/findings.md')
})

it('no code is given by two rules', () => {
  expect(codes).toEqual([...new Set(codes)])
})

it('every rule of the folder is applied', () => {
  const files = readdirSync(new URL('../../../src/check/diagnose/rules/', import.meta.url))
  expect(all.length).toBe(files.length)
})

describe('has tests in this folder:', () => {
  it.each(codes)('%s', (code) => {
    expect(tests.split(code).length, 'it fires, and it does not').toBeGreaterThan(2)
  })
})

it('every finding that a rule can give is in its table', () => {
  const folderOfRules = new URL('../../../src/check/diagnose/rules/', import.meta.url)
  const given = readdirSync(folderOfRules).flatMap((file) => {
    const text = readFileSync(new URL(file, folderOfRules), 'utf8')
    return [...text.matchAll(/\bcode: '([a-z0-9-]+)'/g)].map(([, code]) => code)
  })
  expect(new Set(given)).toEqual(new Set(codes))
})
