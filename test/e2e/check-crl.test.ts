/** `check` where the CA speaks by CRLs: alone, or beside a responder that is away. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { startBadStapler } from '../kit/bad-stapler.ts'
import { createCrlServer, issueCrl } from '../kit/crl.ts'
import { codesOf, type LookOptions, setCheckStage, troublesOf } from './check-stage.ts'

const stage = await setCheckStage()
const { authority } = stage
const crls = await createCrlServer()
const nowhere = 'http://127.0.0.1:1/'

it('finds by the CRL that a certificate without responder was revoked', async () => {
  const leaf = await issue(null, 'revoked.crl')
  await authority.revoke(leaf, 'keyCompromise')
  crls.give('revoked.crl', await issueCrl(authority))
  const examination = await look(leaf)
  expect({ severity: examination.severity, troubles: troublesOf(examination) }).toEqual({
    severity: 'critical',
    troubles: ['revoked-now'],
  })
  expect(examination.findings[0]?.title).toContain('keyCompromise')
  expect(examination.findings[0]?.evidence.join('\n')).toMatch(/CRL \S+revoked\.crl: revoked/)
})

it('has nothing against one that is not in it', async () => {
  const leaf = await issue(null, 'good.crl')
  crls.give('good.crl', await issueCrl(authority))
  const examination = await look(leaf)
  expect(troublesOf(examination)).toEqual([])
  expect(codesOf(examination)).toContain('nothing-to-staple')
  expect(examination.evidence.certificates[0]?.live?.crl).toMatchObject({ source: 'crl', certStatus: 'good' })
})

it('asks the CRL where the responder is away, unless it is to ask responders alone', async () => {
  const leaf = await issue(nowhere, 'instead.crl')
  crls.give('instead.crl', await issueCrl(authority))
  const both = await look(leaf)
  expect(troublesOf(both)).toEqual(['no-staple'])
  expect(both.findings.find(({ code }) => code === 'ca-unreachable')?.severity).toBe('info')
  const alone = await look(leaf, { revocation: 'ocsp' })
  expect([...troublesOf(alone)].sort()).toEqual(['ca-unreachable', 'no-staple'])
})

function issue(responderURL: string | null, crl: string): Promise<Leaf> {
  return stage.issue({ responderURL, extensions: [`crlDistributionPoints=URI:${crls.url(crl)}`] })
}

/** Looks at a server that staples nothing. */
async function look(leaf: Leaf, options: LookOptions = {}) {
  const { port } = await startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile) })
  return stage.look(port, options)
}
