/**
 * The checker and the verifier never disagree: every crafted bad response, stapled by a server, is refused by `examine`
 * with the very code that `verifyOcspResponse` throws for it.
 */
import { describe, expect, it } from 'vitest'
import { examine } from '../../src/check/examine.ts'
import { isStapleError } from '../../src/errors.ts'
import { systemClock } from '../../src/keep/clock.ts'
import { verifyOcspResponse } from '../../src/pki/ocsp/verify.ts'
import { formatPem } from '../../src/run/config/pem-text.ts'
import { type BadStapler, startBadStapler } from '../kit/bad-stapler.ts'
import { forgedAt, key, type World, world } from '../pki/forge.ts'
import type { BadRow } from '../pki/ocsp/bad/row.ts'
import { badRows, prepare } from '../pki/ocsp/bad/rows.ts'

/** The findings of which every refused staple has one. Only an error is a warning: without Must-Staple it is as none. */
const severities: Readonly<Record<string, string>> = {
  'staple-refused': 'critical',
  'staple-stale': 'critical',
  'stapled-error': 'warning',
  'weak-signature': 'critical',
}

/** TLS 1.3 has two octets for the length of an extension, and status_type and the length before the response. */
const most = 0xffff - 4

const cases = badRows.map(caseOf)
const refused = cases.filter(({ code, der }) => code !== undefined && der.length > 0 && der.length <= most)
const accepted = cases.filter(({ code }) => code === undefined)
const empty = cases.filter(({ der }) => der.length === 0)
const tooLarge = cases.filter(({ der }) => der.length > most)
const staplers = new Map<World, BadStapler>()
for (const of of new Set(cases.map((each) => each.of))) {
  const cert = formatPem(of.certificate.der) + formatPem(of.issuer.der)
  staplers.set(
    of,
    await startBadStapler({ cert, key: key('leaf').privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
  )
}

describe('examine and verifyOcspResponse refuse for the same reason a staple', () => {
  it.each(refused)('$what', async ({ of, der, code = '' }) => {
    const { evidence, findings, severity } = await examineStaple(of, der)
    const [staple] = evidence.certificates[0]?.staples ?? []
    expect(Buffer.compare(staple?.der ?? new Uint8Array(), der), 'what came over the wire').toBe(0)
    expect(staple?.diagnosis?.verdicts.find(({ outcome }) => outcome === 'refused')?.error?.code).toBe(code)
    const told = findings.filter((each) => each.code in severities)
    expect(told.map((each) => each.evidence.join('\n'))).toEqual([expect.stringContaining(code)])
    expect(told.map((each) => each.severity)).toEqual([severities[told[0]?.code ?? '']])
    expect(severity).toBe(told[0]?.severity)
  })

  it('nearly all of the crafted ones, more than a hundred', () => {
    expect(refused.length).toBeGreaterThan(100)
    expect(cases.length - refused.length).toBeLessThan(10)
  })
})

it.each(accepted)('what only options of the verifier refuse is accepted by both: $what', async ({ of, der }) => {
  const { evidence, findings } = await examineStaple(of, der)
  expect(evidence.certificates[0]?.staples[0]?.diagnosis?.verified?.certStatus).toBe('good')
  expect(findings.filter(({ code }) => code in severities)).toEqual([])
})

it.each(empty)('a staple of no bytes is none: $what', async ({ of, der }) => {
  const { evidence } = await examineStaple(of, der)
  expect(evidence.certificates[0]?.staples).toEqual([])
})

it.each(tooLarge)('a staple that no handshake can carry is one that could not be looked at: $what', async (each) => {
  const { findings, severity } = await examineStaple(each.of, each.der)
  expect({ severity, codes: findings.map(({ code }) => code) }).toEqual({
    severity: 'unknown',
    codes: expect.arrayContaining(['could-not-connect']),
  })
})

interface Case {
  readonly what: string
  readonly of: World
  readonly der: Uint8Array
  /** Absent: verification accepts it unless told more. */
  readonly code?: string
}

function caseOf(row: BadRow): Case {
  const of = (row.of ?? world)()
  const { der } = prepare(row).broken
  try {
    verifyOcspResponse(der, { certificate: of.certificate, issuer: of.issuer, at: forgedAt })
    return { what: row.what, of, der }
  } catch (error) {
    if (!isStapleError(error)) throw error
    return { what: row.what, of, der, code: error.code }
  }
}

function examineStaple(of: World, der: Uint8Array) {
  const stapler = staplers.get(of) as BadStapler
  stapler.staple = der
  const { port } = stapler
  return examine(
    { label: `localhost:${port}`, host: '127.0.0.1', port, serverName: 'localhost' },
    { clock: systemClock, at: forgedAt, connections: 1 },
  )
}
