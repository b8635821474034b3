/** The JSON: the documented fields and nothing else, with nothing in it that is not plain data. */
import { X509Certificate } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { decodeOcspResponse } from '../../../src/pki/ocsp/response.ts'
import * as fields from '../../../src/run/report/fields.ts'
import { formatJson, summarize, summarizeRun } from '../../../src/run/report/index.ts'
import type { TargetReport } from '../../../src/run/report/shape.ts'
import { type Craft, craft, finding } from './craft.ts'

let subject: Craft
let report: TargetReport
beforeAll(async () => {
  subject = await craft()
  const inner = new StapleError('ERR_FETCH_TIMEOUT', 'too late', { url: 'http://ocsp.example' } as never)
  const failure = new StapleError('ERR_FETCH_FAILED', 'all failed', { causes: [inner] })
  const staple = subject.staple()
  report = summarize(
    subject.examine({
      staples: [staple, null, failure],
      findings: [finding()],
      severity: 'critical',
      greeting: '220 x',
    }),
  )
})

function told(targets: readonly TargetReport[] = [report]) {
  return JSON.parse(formatJson(summarizeRun(targets, { at: subject.at, elapsedMs: 5, unchecked: 0 })))
}

test('has only fields that are documented', () => {
  const all = told()
  const [target] = all.targets
  const check = (what: object, table: object) =>
    expect(Object.keys(what).filter((name) => !Object.hasOwn(table, name))).toEqual([])
  check(all, fields.reportFields)
  check(target, fields.targetFields)
  for (const each of target.connections) check(each, fields.connectionFields)
  for (const each of target.certificates) check(each, fields.certificateFields)
  for (const each of target.certificates[0].staples) check(each, fields.stapleFields)
  for (const each of target.findings) check(each, fields.findingFields)
  check(target.connections[2].error, fields.errorFields)
})

test('says the same for one target and for several: a list', () => {
  expect(told()).toMatchObject({ verdict: 'critical', unchecked: 0, targets: [{ target: 'www.example.com' }] })
  expect(told([report, report]).because).toEqual(Array(2).fill(`www.example.com: ${finding().title}`))
})

test('gives moments as text and bytes as base64 that decode again', () => {
  const [certificate] = told().targets[0].certificates
  expect(told().at).toBe(subject.at.toISOString())
  expect(new X509Certificate(Buffer.from(certificate.chain[0], 'base64')).subject).toBe('CN=www.example.com')
  const response = decodeOcspResponse(Buffer.from(certificate.staples[0].der, 'base64'))
  expect(response.basicResponse?.responses[0]?.thisUpdate.toISOString()).toBe(certificate.staples[0].thisUpdate)
})

test('gives errors as code, message and detail, those inside them too', () => {
  expect(told().targets[0].connections[2].error).toEqual({
    code: 'ERR_FETCH_FAILED',
    message: 'all failed',
    detail: { causes: [{ code: 'ERR_FETCH_TIMEOUT', message: 'too late', detail: { url: 'http://ocsp.example' } }] },
  })
})

test('tells each connection and certificate that belong together', () => {
  const [target] = told().targets
  const [{ certificateKey, stapled, connections }] = target.certificates
  expect({ stapled, connections }).toEqual({ stapled: 1, connections: 2 })
  expect(target.connections.map((each: { certificateKey?: string }) => each.certificateKey)).toEqual([
    certificateKey,
    certificateKey,
    undefined,
  ])
  expect(target.connections.map((each: { isStapled?: boolean }) => each.isStapled)).toEqual([true, false, undefined])
})
