/** Every crafted bad response is refused for what it breaks: by code, field, both sides, and clause. */
import { describe, expect, it } from 'vitest'
import { isStapleError, type RefusalDetail } from '../../../src/errors.ts'
import { diagnose } from '../../../src/pki/ocsp/diagnose.ts'
import type { VerifyOptions } from '../../../src/pki/ocsp/options.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { badRows, groups, prepare } from './bad/rows.ts'

describe.each(Object.entries(groups))('refuses, for its %s, a response', (_group, rows) => {
  it.each(rows)('$what', (row) => {
    const { right, broken } = prepare(row)
    expect(() => verifyOcspResponse(right.der, right.options), 'the draft before it was broken').not.toThrow()
    const { code, detail } = refusalOf(broken.der, broken.options)
    expect({ code, field: detail.field, clause: detail.clause }).toEqual({
      code: row.code,
      field: row.field,
      clause: row.clause,
    })
    expect(detail.expected).toEqual(match(row.expected))
    expect(detail.found).toEqual(match(row.found))
  })
})

it.each(badRows)('diagnose refuses first what verify refuses: $what', (row) => {
  const { broken } = prepare(row)
  const { verdicts, verified } = diagnose(broken.der, broken.options)
  const first = verdicts.find(({ outcome }) => outcome === 'refused')
  expect({ code: first?.error?.code, verified }).toEqual({ code: row.code, verified: undefined })
})

it('there are more than a hundred, no two the same', () => {
  expect(badRows.length).toBeGreaterThan(100)
  expect(new Set(badRows.map(({ what }) => what)).size).toBe(badRows.length)
})

function refusalOf(der: Uint8Array, options: VerifyOptions): { readonly code: string; readonly detail: RefusalDetail } {
  try {
    verifyOcspResponse(der, options)
  } catch (error) {
    if (isStapleError(error)) return { code: error.code, detail: error.detail as RefusalDetail }
    throw error
  }
  throw new Error('was accepted')
}

function match(side: string | RegExp) {
  return typeof side === 'string' ? side : expect.stringMatching(side)
}
