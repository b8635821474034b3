/** Rules about what kind of response is stapled, and who signed it. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import {
  at,
  authority,
  dayMs,
  findingOf,
  findingsOf,
  hourMs,
  leafOf,
  responseFor,
  series,
  wrongCodes,
} from './crafted.ts'

const leaf = await leafOf()
const good = responseFor(leaf)
const codesOf = async (staple: Uint8Array | null) => (await findingsOf(series(leaf, [staple]))).map(({ code }) => code)

describe('delegate-ends-soon', () => {
  const signedUntil = async (leftMs: number) => {
    const notAfter = new Date(at.getTime() + leftMs)
    const signer = await authority.delegate({ notBefore: new Date(at.getTime() - 300 * dayMs), notAfter })
    return responseFor(leaf, { signer })
  }

  it('is found a few days before its end', async () => {
    const findings = await findingsOf(series(leaf, [await signedUntil(6.5 * dayMs)]))
    expect(findingOf(findings, 'delegate-ends-soon').severity).toBe('warning')
  })

  it('is critical within a day', async () => {
    const findings = await findingsOf(series(leaf, [await signedUntil(5 * hourMs)]))
    expect(findingOf(findings, 'delegate-ends-soon').severity).toBe('critical')
  })

  it('is found weeks before, where the staple outlives it', async () => {
    const signer = await authority.delegate({
      notBefore: new Date(at.getTime() - 300 * dayMs),
      notAfter: new Date(at.getTime() + 8 * dayMs),
    })
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { signer, lifeMs: 9 * dayMs })]))
    expect(findingOf(findings, 'delegate-ends-soon')).toMatchObject({
      severity: 'warning',
      title: expect.stringMatching(/, before the staple does$/),
    })
  })

  it('is not found with months left', async () => {
    expect(await codesOf(await signedUntil(100 * dayMs))).not.toContain('delegate-ends-soon')
  })
})

describe('delegate-without-nocheck', () => {
  it('is found, as info', async () => {
    const signer = await authority.delegate({ nocheck: false })
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { signer })]))
    expect(findingOf(findings, 'delegate-without-nocheck').severity).toBe('info')
    expect(wrongCodes(findings)).toEqual([])
  })

  it('is not found with it', async () => {
    const signer = await authority.delegate()
    expect(await codesOf(responseFor(leaf, { signer }))).not.toContain('delegate-without-nocheck')
  })
})

describe('no-next-update', () => {
  it('is a warning', async () => {
    const staple = responseFor(leaf, { lifeMs: null, ageMs: 60_000 })
    expect(wrongCodes(await findingsOf(series(leaf, [staple])))).toEqual(['no-next-update'])
  })

  it('is not found where there is one', async () => {
    expect(await codesOf(good)).not.toContain('no-next-update')
  })
})

describe('window-too-long', () => {
  it('is info beyond ten days', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { lifeMs: 30 * dayMs })]))
    expect(findingOf(findings, 'window-too-long').title).toContain('30 days')
    expect(wrongCodes(findings)).toEqual([])
  })

  it('is not found for a week', async () => {
    expect(await codesOf(good)).not.toContain('window-too-long')
  })
})

describe('sha256-only', () => {
  it('is found where the certID is SHA-256 alone', async () => {
    const staple = responseFor(leaf, { hashes: ['sha256'] })
    expect(wrongCodes(await findingsOf(series(leaf, [staple])))).toEqual(['sha256-only'])
  })

  it('is not found where SHA-1 stands beside it', async () => {
    expect(await codesOf(responseFor(leaf, { hashes: ['sha256', 'sha1'] }))).not.toContain('sha256-only')
  })
})

describe('several-single-responses', () => {
  it('is found where there are two', async () => {
    const staple = responseFor(leaf, { hashes: ['sha1', 'sha256'] })
    expect(wrongCodes(await findingsOf(series(leaf, [staple])))).toEqual(['several-single-responses'])
  })

  it('is not found where there is one', async () => {
    expect(await codesOf(good)).not.toContain('several-single-responses')
  })
})

describe('staple-too-large', () => {
  /** A response with eight certificates, each with a comment of so many bytes. */
  const carrying = async (bytes: number) => {
    const { der } = await leafOf({ extensions: [`nsComment=${'x'.repeat(bytes)}`] })
    return responseFor(leaf, { certificates: Array.from({ length: 8 }, () => der) })
  }

  it('names Apache over 10,240 bytes', async () => {
    const finding = findingOf(await findingsOf(series(leaf, [await carrying(800)])), 'staple-too-large')
    expect(finding.title).toContain('Apache')
    expect(finding.title).not.toContain('nginx')
  })

  it('names nginx and HAProxy, too, at 16 KiB', async () => {
    const finding = findingOf(await findingsOf(series(leaf, [await carrying(1_600)])), 'staple-too-large')
    expect(finding.title).toContain('nginx')
  })

  it('is not found for an ordinary one', async () => {
    expect(await codesOf(good)).not.toContain('staple-too-large')
  })
})

describe('weak-signature', () => {
  it('is found for a response signed with SHA-1', async () => {
    const staple = await authority.ocspRespond({
      request: encodeOcspRequest({ certificate: leaf.certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' }),
      hash: 'sha1',
      nextUpdateMinutes: 10_000,
    })
    expect(wrongCodes(await findingsOf(series(leaf, [staple])))).toEqual(['weak-signature'])
  })

  it('is not found for SHA-256', async () => {
    expect(await codesOf(good)).not.toContain('weak-signature')
  })
})

describe('staple-not-judged', () => {
  it('is unknown where the issuer is nowhere to be found', async () => {
    const findings = await findingsOf(series(leaf, [good], { chain: [leaf.der] }))
    expect(findingOf(findings, 'staple-not-judged').severity).toBe('unknown')
  })

  it('is not found where it was given', async () => {
    const ca = [readFileSync(leaf.caFile, 'utf8')]
    const findings = await findingsOf(series(leaf, [good], { chain: [leaf.der] }), {}, { ca })
    expect(findings.map(({ code }) => code)).not.toContain('staple-not-judged')
  })
})
