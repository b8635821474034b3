/** Every crafted bad CRL is refused for what it breaks: by code, field, both sides, and clause. */
import { describe, expect, it } from 'vitest'
import { isStapleError, type RefusalDetail } from '../../../src/errors.ts'
import { diagnoseCrl, type VerifyCrlOptions, verifyCrl } from '../../../src/pki/crl/index.ts'
import { forgedAt, world } from '../forge.ts'
import { formRows } from './bad/form.ts'
import { kindRows } from './bad/kind.ts'
import { proofRows } from './bad/proof.ts'
import type { BadCrlRow } from './bad/row.ts'
import { crlDraft, forgeCrl } from './forge.ts'

const groups = { form: formRows, kind: kindRows, proof: proofRows }
const all = Object.values(groups).flat()

describe.each(Object.entries(groups))('refuses, for its %s, a CRL', (_group, rows) => {
  it.each(rows)('$what', (row) => {
    const { right, broken } = prepare(row)
    expect(() => verifyCrl(right.der, right.options), 'the draft before it was broken').not.toThrow()
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

it.each(all)('diagnoseCrl refuses first what verifyCrl refuses: $what', (row) => {
  const { broken } = prepare(row)
  const { verdicts, verified } = diagnoseCrl(broken.der, broken.options)
  const first = verdicts.find(({ outcome }) => outcome === 'refused')
  expect({ code: first?.error?.code, verified }).toEqual({ code: row.code, verified: undefined })
})

it('there are more than seventy, no two the same', () => {
  expect(all.length).toBeGreaterThan(70)
  expect(new Set(all.map(({ what }) => what)).size).toBe(all.length)
})

interface Case {
  readonly der: Uint8Array
  readonly options: VerifyCrlOptions
}

function prepare(row: BadCrlRow): { readonly right: Case; readonly broken: Case } {
  const { certificate, issuer } = (row.of ?? world)()
  const options: VerifyCrlOptions = { certificate, issuer, at: forgedAt, ...row.options?.() }
  const draft = (row.baseline ?? crlDraft)()
  const broken = row.breakIt(draft)
  return {
    right: { der: forgeCrl(draft), options },
    broken: {
      der: broken instanceof Uint8Array ? broken : forgeCrl(broken),
      options: { ...options, ...row.brokenOptions?.() },
    },
  }
}

function refusalOf(
  der: Uint8Array,
  options: VerifyCrlOptions,
): { readonly code: string; readonly detail: RefusalDetail } {
  try {
    verifyCrl(der, options)
  } catch (error) {
    if (isStapleError(error)) return { code: error.code, detail: error.detail as RefusalDetail }
    throw error
  }
  throw new Error('was accepted')
}

function match(side: string | RegExp) {
  return typeof side === 'string' ? side : expect.stringMatching(side)
}
