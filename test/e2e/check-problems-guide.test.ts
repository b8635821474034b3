/** docs/guide/common-problems.md shows what the findings print, and names findings that there are. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apache } from '../../src/check/diagnose/remedies/apache.ts'
import type { RemedyFacts, ServerRemedies, Trouble } from '../../src/check/diagnose/remedies/contract.ts'
import { iis } from '../../src/check/diagnose/remedies/iis.ts'
import { nginx } from '../../src/check/diagnose/remedies/nginx.ts'
import { rules } from '../../src/check/diagnose/rules.ts'

const page = readFileSync(new URL('../../docs/guide/common-problems.md', import.meta.url), 'utf8')
const printed = [...page.matchAll(/<!-- printed: (\S+) (\S+) -->\n```\n([^]*?)```/g)]
const servers: Readonly<Record<string, ServerRemedies>> = { nginx, apache, iis }
const facts: RemedyFacts = { name: 'example.com', certificateKey: 'KEY', responderHost: 'ocsp.example.net' }

it.each(printed.map(([, server = '', trouble = '', text = '']) => ({ server, trouble, text })))(
  'the lines of $server for $trouble are those that a finding prints',
  ({ server, trouble, text }) => {
    const remedy = servers[server]?.[trouble as Trouble]?.(facts)
    expect(text.trimEnd().split('\n')).toEqual(remedy?.lines)
  },
)

it('every finding that it names is one', () => {
  const named = [...page.matchAll(/^Finding: (.*)$/gm)].flatMap(([, line = '']) => line.match(/`[\w-]+`/g) ?? [])
  expect(named.length).toBeGreaterThan(8)
  const codes = new Set(rules.flatMap((rule) => Object.keys(rule.codes)))
  expect(named.map((each) => each.replaceAll('`', '')).filter((code) => !codes.has(code))).toEqual([])
})
