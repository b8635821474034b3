import { describe, expect, it } from 'vitest'
import {
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeSequence,
} from '../../../src/pki/der/writer.ts'
import { diagnose } from '../../../src/pki/ocsp/diagnose.ts'
import type { VerifyOptions } from '../../../src/pki/ocsp/options.ts'
import { rules } from '../../../src/pki/ocsp/rules.ts'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import {
  byName,
  certIDDraft,
  delegatedDraft,
  directDraft,
  extension,
  forgeDelegate,
  forgedAt,
  forgeResponse,
  hours,
  key,
  name,
  nextUpdate,
  type ResponseDraft,
  singleDraft,
  world,
} from '../forge.ts'

const options: VerifyOptions = { certificate: world().certificate, issuer: world().issuer, at: forgedAt }
const of = (draft: ResponseDraft, more: Partial<VerifyOptions> = {}) =>
  diagnose(forgeResponse(draft), { ...options, ...more })

/** The rules with that outcome, by name. */
const named = (diagnosis: ReturnType<typeof diagnose>, outcome: string) =>
  diagnosis.verdicts.filter((verdict) => verdict.outcome === outcome).map(({ rule }) => rule)

it('asks the rules of verification, in their order, each by a name of its own', () => {
  const asked = of(directDraft()).verdicts.map(({ rule }) => rule)
  expect(asked).toEqual(rules.map(({ name: rule }) => rule))
  expect(new Set(asked).size).toBe(asked.length)
  expect(asked.length).toBe(18)
})

it('gives of an accepted response what verification gives', () => {
  const der = forgeResponse(delegatedDraft())
  const { verdicts, verified, warnings } = diagnose(der, options)
  expect(verdicts.every(({ outcome }) => outcome === 'passed')).toBe(true)
  expect(verified).toEqual(verifyOcspResponse(der, options))
  expect(warnings).toEqual([])
})

describe('reports together', () => {
  it('everything that is wrong with a response', () => {
    const unknownCritical = encodeSequence(extension('1.2.3', encodeNull(), true))
    const diagnosis = of(
      {
        ...delegatedDraft(forgeDelegate({ notAfter: hours(-1) })),
        responderID: byName(name('Nobody')),
        responses: [
          singleDraft(world(), {
            nextUpdate: nextUpdate(hours(-0.5)),
            singleExtensions: encodeExplicit(1, unknownCritical),
          }),
        ],
        responseExtensions: encodeExplicit(1, unknownCritical),
      },
      { nonce: Uint8Array.of(1), requireNonce: true },
    )
    expect(named(diagnosis, 'refused')).toEqual([
      'critical-extensions',
      'authority',
      'next-update',
      'critical-single-extensions',
      'nonce',
    ])
    // Without an authorised signer there is nothing to compare responderID with.
    expect(named(diagnosis, 'skipped')).toEqual(['delegate-nocheck', 'responder-id'])
    expect(diagnosis.verified).toBeUndefined()
  })
  it('a broken signature and the times that it covers', () => {
    const diagnosis = of({
      ...directDraft(),
      signer: key('stranger'),
      responses: [singleDraft(world(), { thisUpdate: encodeGeneralizedTime(hours(2)) })],
    })
    expect(named(diagnosis, 'refused')).toEqual(['signature', 'this-update'])
    expect(named(diagnosis, 'skipped')).toEqual(['authority', 'delegate-nocheck', 'responder-id'])
  })
  it('a good signature under an answer about somebody else', () => {
    const certID = { ...certIDDraft(world()), serialNumber: encodeInteger(1n) }
    const diagnosis = of({ ...directDraft(), responses: [singleDraft(world(), { certID })] })
    expect(named(diagnosis, 'refused')).toEqual(['cert-id'])
    expect(named(diagnosis, 'passed')).toEqual(expect.arrayContaining(['signature', 'authority', 'responder-id']))
    expect(named(diagnosis, 'skipped')).toEqual([
      'update-order',
      'this-update',
      'next-update',
      'age',
      'critical-single-extensions',
    ])
  })
})

it('stops at an error status, of which there is nothing more to say', () => {
  const diagnosis = diagnose(encodeOcspError('tryLater'), options)
  expect(named(diagnosis, 'refused')).toEqual(['response-status'])
  expect(named(diagnosis, 'passed')).toEqual(['size', 'encoding', 'response-type', 'issuer'])
})

it('does not read what is too large', () => {
  const diagnosis = of(directDraft(), { maxBytes: 10 })
  expect(named(diagnosis, 'refused')).toEqual(['size'])
  expect(diagnosis.verdicts.slice(1).every(({ outcome }) => outcome === 'skipped')).toBe(true)
})

it('keeps the warnings of what it could judge', () => {
  const diagnosis = of({
    ...directDraft(),
    version: encodeExplicit(0, encodeInteger(0n)),
    responses: [singleDraft(world(), { nextUpdate: nextUpdate(hours(500)) })],
    signer: key('stranger'),
  })
  expect(diagnosis.warnings.map(({ code }) => code)).toEqual(['explicit-version', 'window-too-long'])
})

it('calls a mistake of the caller what verification calls one', () => {
  expect(() => diagnose(new Uint8Array(), { ...options, at: new Date(Number.NaN) })).toThrow(TypeError)
})
