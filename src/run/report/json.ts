/** The report as JSON: what the tables of fields name, in their order, and nothing else. */
import * as fields from './fields.ts'
import type { CheckReport, ErrorReport, TargetReport } from './shape.ts'

/** Formats the whole report. */
export function formatJson(report: CheckReport): string {
  const targets = report.targets.map(pickTarget)
  return `${JSON.stringify(pick(fields.reportFields, { ...report, targets }), null, 2)}\n`
}

function pickTarget(target: TargetReport): object {
  return pick(fields.targetFields, {
    ...target,
    connections: target.connections.map((each) => pick(fields.connectionFields, withError(each))),
    certificates: target.certificates.map((each) =>
      pick(fields.certificateFields, {
        ...each,
        staples: each.staples.map((staple) =>
          pick(fields.stapleFields, { ...staple, refusals: staple.refusals.map(withError) }),
        ),
        ...(each.live && { live: pickLive(each.live) }),
      }),
    ),
    findings: target.findings.map((each) => pick(fields.findingFields, each)),
    ...(target.error && { error: pick(fields.errorFields, target.error) }),
  })
}

function pickLive({ ocsp, crl }: NonNullable<TargetReport['certificates'][number]['live']>): object {
  return {
    ...(ocsp && { ocsp: pick(fields.answerFields, withError(ocsp)) }),
    ...(crl && { crl: pick(fields.answerFields, withError(crl)) }),
  }
}

function withError<T extends { readonly error?: ErrorReport }>(value: T): T {
  return value.error ? { ...value, error: pick(fields.errorFields, value.error) } : value
}

function pick(table: object, from: object): object {
  const values = new Map(Object.entries(from))
  return Object.fromEntries(Object.keys(table).flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : [])))
}
