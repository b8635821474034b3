/**
 * Fuzzing, by a seed that stays: damaged CRLs. Nothing but a StapleError may come out, none may be accepted whose signed
 * bytes differ, and the quick walk over entries must agree with reading them one by one.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { endOfPlainEntry } from '../../../src/pki/crl/entries.ts'
import { readEntry } from '../../../src/pki/crl/entry.ts'
import {
  decodeCertificateList,
  diagnoseCrl,
  findRevokedCertificate,
  readRevokedCertificates,
  verifyCrl,
} from '../../../src/pki/crl/index.ts'
import { DerReader } from '../../../src/pki/der/reader.ts'
import { encodeGeneralizedTime, encodeInteger, encodeSequence } from '../../../src/pki/der/writer.ts'
import { extension, forgedAt, hours, world } from '../forge.ts'
import { changeCount, mutate, parseTree } from '../mutate.ts'
import { crlDraft, entry, flag, forgeCrl, invalidityDate, issuingPoint } from './forge.ts'

const seed = 20_261_121
const { certificate, issuer } = world()
const options = { certificate, issuer, at: forgedAt }

const changes = fc.array(fc.record({ kind: fc.nat(changeCount - 1), where: fc.nat(65_535), value: fc.nat(0xffff) }), {
  minLength: 1,
  maxLength: 3,
})

const drafts = [
  crlDraft(),
  { ...crlDraft(), entries: [entry(certificate.serialNumber, { reason: 1 }), ...crlDraft().entries] },
  { ...crlDraft(), version: undefined, extensions: [], entries: [entry(certificate.serialNumber)] },
  {
    ...crlDraft(),
    entries: [entry(9n, { extensions: [invalidityDate(hours(-50)), extension('1.2.3.4', Uint8Array.of(5, 0))] })],
    extensions: [...crlDraft().extensions, issuingPoint(flag(1))],
  },
  { ...crlDraft(), entries: [] },
]
const subjects = drafts.map(forgeCrl)
const trees = subjects.map(parseTree)
const genuine = new Set(subjects.map((der) => hex(decodeCertificateList(der).tbsCertList)))

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function attempt<T>(run: () => T): T | StapleError {
  try {
    return run()
  } catch (error) {
    if (error instanceof StapleError) return error
    throw error
  }
}

describe('of damaged CRLs', () => {
  it('accepts none whose signed bytes differ, and throws nothing but a StapleError', { timeout: 60_000 }, () => {
    const tally = new Map<string, number>()
    fc.assert(
      fc.property(fc.nat(trees.length - 1), changes, (which, drawn) => {
        const der = mutate(trees[which] as (typeof trees)[0], drawn, trees)
        const decoded = attempt(() => decodeCertificateList(der))
        const verified = attempt(() => verifyCrl(der, options))
        const outcome = verified instanceof StapleError ? verified.code : 'accepted'
        tally.set(outcome, (tally.get(outcome) ?? 0) + 1)
        const diagnosed = diagnoseCrl(der, options)
        const first = diagnosed.verdicts.find((verdict) => verdict.outcome === 'refused')?.error
        if (verified instanceof StapleError) {
          expect([diagnosed.verified, first?.code, first?.message]).toEqual([
            undefined,
            verified.code,
            verified.message,
          ])
        } else {
          expect(diagnosed.verified).toEqual(verified)
          expect(genuine.has(hex((decoded as ReturnType<typeof decodeCertificateList>).tbsCertList))).toBe(true)
        }
        if (decoded instanceof StapleError) {
          expect(verified).toBeInstanceOf(StapleError)
          return
        }
        // What the survey counted can be read, and what can be read is found.
        const entries = [...readRevokedCertificates(decoded)]
        expect(entries).toHaveLength(decoded.revokedCertificates.count)
        for (const { serialNumber } of entries) {
          const found = findRevokedCertificate(decoded, serialNumber)
          expect(found).toEqual(entries.find((each) => each.serialNumber === serialNumber))
        }
      }),
      { seed, numRuns: 6000 },
    )
    expect(tally.get('ERR_CRL_SIGNATURE')).toBeGreaterThan(200)
    expect(tally.get('accepted')).toBeGreaterThan(5)
    expect(tally.size).toBeGreaterThan(10)
  })
})

it('the quick look at an entry accepts nothing that reading it refuses, to the octet', { timeout: 60_000 }, () => {
  const plain = [
    entry(5n),
    entry(-300n),
    entry(0x1122_3344_5566_7788n, { reason: 1 }),
    entry(1n, { reason: 10 }),
    entry(2n, { extensions: [invalidityDate(hours(-50))] }),
    entry(3n, { reason: 4, extensions: [invalidityDate(hours(-50))] }),
    encodeSequence(encodeInteger(4n), encodeGeneralizedTime(hours(-9))),
  ]
  for (const der of plain) expect(endOfPlainEntry(der, 0, 2)).toBe(der.length)
  let quick = 0
  const damage = fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { minLength: 0, maxLength: 2 })
  fc.assert(
    fc.property(fc.nat(plain.length - 1), damage, fc.nat(3), (which, octets, cut) => {
      const der = (plain[which] as Uint8Array).slice()
      for (const [place, octet] of octets) der[place % der.length] = octet
      const content = cut === 0 ? der : Uint8Array.of(...der, ...(plain[0] as Uint8Array).subarray(0, cut))
      const end = endOfPlainEntry(content, 0, 2)
      if (end < 0) return
      quick++
      const reader = new DerReader(content, 'entry', '')
      const read = readEntry(reader, 2)
      expect(reader.position).toBe(end)
      expect([read.hasCertificateIssuer, read.unsupportedCritical]).toEqual([false, []])
      expect(read.revocationReason).not.toBe('removeFromCRL')
    }),
    { seed, numRuns: 20_000 },
  )
  expect(quick).toBeGreaterThan(2000)
})
