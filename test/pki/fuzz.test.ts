/**
 * Fuzzing, by a seed that stays: about 20,000 damaged messages. Nothing but a StapleError may come out, and no damaged
 * response may be accepted unless what was damaged counts for nothing.
 *
 * A failure prints fast-check's seed and path and the smallest changes that show it.
 */
import { createPublicKey, type KeyObject, verify as verifyWithKey } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { StapleError } from '../../src/errors.ts'
import { isSameBytes } from '../../src/pki/der/bytes.ts'
import { encodeExplicit, encodeInteger } from '../../src/pki/der/writer.ts'
import { diagnose } from '../../src/pki/ocsp/diagnose.ts'
import { encodeOcspRequest } from '../../src/pki/ocsp/encode-request.ts'
import type { VerifyOptions } from '../../src/pki/ocsp/options.ts'
import { decodeOcspRequest } from '../../src/pki/ocsp/request.ts'
import { decodeOcspResponse } from '../../src/pki/ocsp/response.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../src/pki/ocsp/verify.ts'
import { decodeCertificate } from '../../src/pki/x509/certificate.ts'
import { findIssuer } from '../../src/pki/x509/issuer.ts'
import { formatName } from '../../src/pki/x509/name.ts'
import { parsePemCertificates } from '../../src/pki/x509/pem.ts'
import { createAuthority } from '../kit/authority.ts'
import {
  certIDDraft,
  delegatedDraft,
  directDraft,
  extensions,
  forgeCa,
  forgeDelegate,
  forgedAt,
  forgeResponse,
  hours,
  key,
  nextUpdate,
  revoked,
  singleDraft,
  unknown,
  world,
} from './forge.ts'
import { type Change, changeCount, mutate, type Node, parseTree } from './mutate.ts'

const seed = 20_260_615

const changes = fc.array(fc.record({ kind: fc.nat(changeCount - 1), where: fc.nat(65_535), value: fc.nat(0xffff) }), {
  minLength: 1,
  maxLength: 3,
})

/** What a response is judged for, and what must come of it unharmed. */
interface Subject {
  readonly der: Uint8Array
  readonly options: VerifyOptions
}

let subjects: Subject[]
let requests: Uint8Array[]
let certificates: Uint8Array[]
/** For each subject: what every response of the pool is for its options, by the bytes that are signed. */
let genuine: ReadonlyMap<string, string>[]
let signerKeys: ReadonlyMap<string, KeyObject>[]

beforeAll(async () => {
  const p256 = world()
  const options = { certificate: p256.certificate, issuer: p256.issuer, at: forgedAt }
  const rsa = world('rsa')
  const ed25519 = world('ed25519')
  const of = (draft: Parameters<typeof forgeResponse>[0], more: Partial<VerifyOptions> = {}): Subject => ({
    der: forgeResponse(draft),
    options: { ...options, ...more },
  })
  const single = (change: Parameters<typeof singleDraft>[1]) => ({
    ...directDraft(),
    responses: [singleDraft(p256, change)],
  })
  const authority = await createAuthority()
  const leaf = await authority.issueLeaf({ mustStaple: true, caIssuersURL: 'http://127.0.0.1:1/ca.cer' })
  const request = encodeOcspRequest({ certificate: leaf.certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' })
  const delegate = await authority.delegate()
  const byOpenssl = await authority.ocspRespond({ request, signer: delegate, byKey: true })
  const { producedAt } = decodeOcspResponse(byOpenssl).basicResponse as { producedAt: Date }

  subjects = [
    of(directDraft()),
    of({ ...directDraft(), version: encodeExplicit(0, encodeInteger(0n)) }),
    of(delegatedDraft()),
    of({ ...delegatedDraft(), certs: [forgeDelegate(), forgeCa('Forged Intermediate', p256.issuerKey)] }),
    of(single({ certStatus: revoked(hours(-24), 1) })),
    of(single({ certStatus: unknown })),
    of(single({ nextUpdate: undefined })),
    of({
      ...directDraft(),
      responses: [singleDraft(p256), singleDraft(p256, { certID: certIDDraft(p256, 'sha256') })],
    }),
    { der: forgeResponse(directDraft(rsa)), options: { ...options, certificate: rsa.certificate, issuer: rsa.issuer } },
    {
      der: forgeResponse(directDraft(ed25519)),
      options: { ...options, certificate: ed25519.certificate, issuer: ed25519.issuer },
    },
    { der: byOpenssl, options: { certificate: leaf.certificate, issuer: leaf.issuer, at: producedAt } },
  ]
  // These are in the pool for their parts: what is refused as it is must not be accepted in other clothes.
  const refused = [
    of(single({ nextUpdate: nextUpdate(hours(-0.5)) })),
    of(delegatedDraft(forgeDelegate({ extensions: [extensions.digitalSignature] }))),
    of({ ...directDraft(), signer: key('stranger') }),
  ]
  const pool = [...subjects, ...refused].map(({ der }) => der)
  for (const { der, options } of refused) expect(() => verifyOcspResponse(der, options)).toThrow(StapleError)
  genuine = subjects.map((subject) => {
    const accepted = new Map<string, string>()
    for (const der of pool) {
      const verified = attempt(() => verifyOcspResponse(der, subject.options))
      if (!(verified instanceof StapleError)) accepted.set(signedBytes(der), summary(verified))
    }
    return accepted
  })
  signerKeys = subjects.map(({ der, options: { issuer } }) => {
    const all = [issuer as { subjectPublicKeyInfo: Uint8Array }]
    for (const response of [der, ...pool]) all.push(...(decodeOcspResponse(response).basicResponse?.certificates ?? []))
    return new Map(
      all.map(({ subjectPublicKeyInfo }) => [
        hex(subjectPublicKeyInfo),
        createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' }),
      ]),
    )
  })
  requests = [
    request,
    encodeOcspRequest({
      certificate: p256.certificate,
      issuer: p256.issuer,
      hashAlgorithm: 'sha256',
      nonce: new Uint8Array(32).fill(7),
    }),
  ]
  certificates = [
    leaf.der,
    authority.intermediate.der,
    delegate.der,
    p256.certificate.der,
    rsa.issuer.der,
    ed25519.certificate.der,
    forgeDelegate(),
  ]
})

/** Runs what may refuse; whatever else is thrown is a failure. */
function attempt<T>(run: () => T): T | StapleError {
  try {
    return run()
  } catch (error) {
    if (error instanceof StapleError) return error
    throw error
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function signedBytes(der: Uint8Array): string {
  return hex(decodeOcspResponse(der).basicResponse?.tbsResponseData ?? new Uint8Array())
}

/** Everything that a caller could act on. */
function summary(verified: VerifiedOcspResponse): string {
  const { certStatus, revocationTime, revocationReason, producedAt, thisUpdate, nextUpdate } = verified
  const { effectiveNextUpdate, usableUntil, signer, isContradictory, hashAlgorithms, needsDelegateCheck } = verified
  return JSON.stringify([
    [
      certStatus,
      revocationTime,
      revocationReason,
      producedAt,
      thisUpdate,
      nextUpdate,
      effectiveNextUpdate,
      usableUntil,
    ],
    [signer.kind, signer.name, signer.certificate && hex(signer.certificate.tbsCertificate)],
    [isContradictory, hashAlgorithms, needsDelegateCheck],
  ])
}

/** How many of the messages came to what, so that a mutator that reaches nothing is noticed. */
class Tally {
  readonly counts = new Map<string, number>()

  add(outcome: unknown): void {
    const name = outcome instanceof StapleError ? outcome.code : 'accepted'
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }
}

function fuzz(
  count: number,
  bases: () => readonly Uint8Array[],
  judge: (der: Uint8Array, which: number) => void,
): void {
  const trees: readonly Node[] = bases().map(parseTree)
  fc.assert(
    fc.property(fc.nat(trees.length - 1), changes, (which, drawn: readonly Change[]) => {
      judge(mutate(trees[which] as Node, drawn, trees), which)
    }),
    { seed, numRuns: count },
  )
}

describe('of damaged responses', () => {
  it('accepts none whose signed bytes or signer differ, and throws nothing but a StapleError', {
    timeout: 60_000,
  }, () => {
    const tally = new Tally()
    fuzz(
      11_000,
      () => subjects.map(({ der }) => der),
      (der, which) => {
        const { options } = subjects[which] as Subject
        const decoded = attempt(() => decodeOcspResponse(der))
        const verified = attempt(() => verifyOcspResponse(der, options))
        tally.add(verified)
        if (decoded instanceof StapleError) expect(verified).toBeInstanceOf(StapleError)
        if (verified instanceof StapleError) return
        const basic = (decoded as ReturnType<typeof decodeOcspResponse>).basicResponse
        if (basic === undefined) throw new Error('accepted without a basicResponse')
        expect((genuine[which] as ReadonlyMap<string, string>).get(hex(basic.tbsResponseData))).toBe(summary(verified))
        // The key that is said to have signed did, by our own question to node:crypto.
        const { subjectPublicKeyInfo } =
          verified.signer.certificate ?? (options.issuer as { subjectPublicKeyInfo: Uint8Array })
        const publicKey = signerKeys[which]?.get(hex(subjectPublicKeyInfo)) as KeyObject
        const digest = publicKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
        expect(verifyWithKey(digest, basic.tbsResponseData, publicKey, basic.signature)).toBe(true)
      },
    )
    // Enough get past the decoder, and some are accepted: the rules are reached, and the check above is made.
    expect(tally.counts.get('ERR_OCSP_SIGNATURE')).toBeGreaterThan(200)
    expect(tally.counts.get('accepted')).toBeGreaterThan(20)
    expect(tally.counts.size).toBeGreaterThan(10)
  })

  it('diagnoses what verification does, rule by rule, and throws nothing at all', { timeout: 60_000 }, () => {
    fuzz(
      2500,
      () => subjects.map(({ der }) => der),
      (der, which) => {
        const { options } = subjects[which] as Subject
        const verified = attempt(() => verifyOcspResponse(der, options))
        const { verdicts, verified: diagnosed } = diagnose(der, options)
        const first = verdicts.find(({ outcome }) => outcome === 'refused')?.error
        if (verified instanceof StapleError) {
          expect([diagnosed, first?.code, first?.message]).toEqual([undefined, verified.code, verified.message])
        } else {
          expect([first, diagnosed && summary(diagnosed)]).toEqual([undefined, summary(verified)])
        }
      },
    )
  })
})

describe('of damaged requests', () => {
  it('decodes or refuses with a StapleError', () => {
    const tally = new Tally()
    fuzz(
      2000,
      () => requests,
      (der) => tally.add(attempt(() => decodeOcspRequest(der))),
    )
    expect(tally.counts.get('accepted')).toBeGreaterThan(50)
    expect(tally.counts.size).toBeGreaterThan(5)
  })
})

describe('of damaged certificates', () => {
  it('decodes or refuses with a StapleError, and what decodes can be shown and asked for', () => {
    const tally = new Tally()
    const issuers = subjects.map(({ options }) => options.issuer as ReturnType<typeof decodeCertificate>)
    fuzz(
      3500,
      () => certificates,
      (der) => {
        const decoded = attempt(() => decodeCertificate(der))
        tally.add(decoded)
        if (decoded instanceof StapleError) return
        expect(isSameBytes(decoded.der, der)).toBe(true)
        expect(typeof formatName(decoded.subject) === 'string' && typeof formatName(decoded.issuer) === 'string').toBe(
          true,
        )
        attempt(() => encodeOcspRequest({ certificate: decoded, issuer: decoded, hashAlgorithm: 'sha1' }))
        const { der: response, options } = subjects[0] as Subject
        attempt(() => verifyOcspResponse(response, { ...options, certificate: decoded }))
        attempt(() => verifyOcspResponse(response, { ...options, issuer: decoded }))
        // An issuer is found only where the signed bytes are what one of them signed.
        if (findIssuer(decoded, issuers) !== undefined) {
          const isKnown = certificates.some((known) =>
            isSameBytes(decodeCertificate(known).tbsCertificate, decoded.tbsCertificate),
          )
          expect(isKnown).toBe(true)
        }
      },
    )
    expect(tally.counts.get('accepted')).toBeGreaterThan(200)
    expect(tally.counts.get('ERR_X509_MALFORMED')).toBeGreaterThan(10)
  })
})

describe('of damaged PEM', () => {
  it('parses or refuses with ERR_X509_PEM', () => {
    const tally = new Tally()
    const damage = fc.array(
      fc.record({
        where: fc.nat(0xffff),
        text: fc.constantFrom(
          '',
          '-',
          '\n',
          '\r',
          '=',
          'é',
          '-----BEGIN CERTIFICATE-----',
          '-----END X-----\n',
          'A',
          '\0',
        ),
      }),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    const property = fc.property(
      fc.nat(certificates.length - 1),
      changes,
      damage,
      fc.boolean(),
      (which, drawn, cuts, isBytes) => {
        const tree = parseTree(certificates[which] as Uint8Array)
        // Half of them with a certificate that is right, for the text around it to be what is wrong.
        const der = cuts.length === 1 ? mutate(tree, drawn, [tree]) : (certificates[which] as Uint8Array)
        let text = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
        for (const { where, text: inserted } of cuts) {
          const at = where % text.length
          text = text.slice(0, at) + inserted + text.slice(inserted === '' ? at + 1 : at)
        }
        const parsed = attempt(() => parsePemCertificates(isBytes ? new TextEncoder().encode(text) : text))
        tally.add(parsed)
        if (parsed instanceof StapleError) expect(parsed.code).toBe('ERR_X509_PEM')
      },
    )
    fc.assert(property, { seed, numRuns: 1500 })
    expect(tally.counts.get('accepted')).toBeGreaterThan(20)
  })
})
