/** All that a command line names, shown and judged: the whole of `staplewright inspect` but for reading files. */
import type { RefusalDetail } from '../../errors.ts'
import { escapeUnprintable } from '../../pki/der/text.ts'
import type { RuleVerdict } from '../../pki/ocsp/diagnose.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { Style } from '../journal/style.ts'
import { type Document, type Fault, nameOf } from './documents.ts'
import { type Field, type Json, toJson } from './field.ts'
import { type Judged, judge, showSubject, type Unjudged } from './judge.ts'
import type { Known, Pool } from './pool.ts'
import { renderFields, wrap } from './render.ts'
import { showCertificate } from './show-certificate.ts'
import { showCrl } from './show-crl.ts'
import { showRequest, showResponse } from './show-ocsp.ts'

/** One document with all that is said of it. */
export interface Inspected {
  readonly document: Document
  readonly fields: readonly Field[]
  readonly judged: readonly Judged[]
  readonly unjudged?: Unjudged
}

/** Shows a document and judges it. @param given - the certificate to judge for; else those of the pool */
export function inspectDocument(document: Document, pool: Pool, given: Known | undefined, at: Date): Inspected {
  const fields = showDocument(document, pool, at)
  const verdict = judge(document, pool, given, at)
  if (verdict === undefined) return { document, fields, judged: [] }
  return 'reason' in verdict
    ? { document, fields, judged: [], unjudged: verdict }
    : { document, fields, judged: verdict }
}

/** Formats it for people. */
export function formatInspected({ document, fields, judged, unjudged }: Inspected, style: Style, at: Date): string {
  const { origin, content, der } = document
  const lines = [
    style.strong(`${nameOf(content.kind).replace(/^an? /, '')}  ${escapeUnprintable(origin)}, ${der.length} bytes`),
    ...renderFields(fields, style),
    ...judged.flatMap((verdict) => ['', ...formatJudged(verdict, style, at)]),
    ...(unjudged === undefined ? [] : ['', style.warn(`not judged: ${unjudged.reason}`), `  hint: ${unjudged.hint}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** The same as a value: the documented shape. */
export function describeInspected({ document, fields, judged, unjudged }: Inspected): {
  readonly [name: string]: Json
} {
  return {
    origin: document.origin,
    kind: document.content.kind,
    bytes: document.der.length,
    fields: toJson(fields),
    ...(judged.length === 0 ? {} : { verdicts: judged.map(describeJudged) }),
    ...(unjudged === undefined ? {} : { notJudged: { reason: unjudged.reason, hint: unjudged.hint } }),
  }
}

export function describeFault({ origin, message, hint, shape }: Fault): { readonly [name: string]: Json } {
  return { origin, error: { message, hint, ...(shape === undefined ? {} : { looksLike: shape }) } }
}

/** A verdict's rules as values. */
function describeVerdict({ rule, clause, outcome, error }: RuleVerdict): { readonly [name: string]: Json } {
  if (error === undefined) return { rule, clause, outcome }
  const { field, expected, found } = error.detail as RefusalDetail
  return { rule, clause, outcome, code: error.code, message: error.message, field, expected, found }
}

function describeJudged({ about, issuer, verdicts, warnings, conclusion }: Judged): { readonly [name: string]: Json } {
  const { certificate, origin } = about
  return {
    certificate: { subject: formatName(certificate.subject), certificateKey: certificateKey(certificate.der), origin },
    issuer: formatName(issuer.subject),
    ...toJson(conclusion),
    rules: verdicts.map(describeVerdict),
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  }
}

function showDocument({ content }: Document, pool: Pool, at: Date): Field[] {
  switch (content.kind) {
    case 'certificate':
      return showCertificate(content.certificate, pool.issuerOf(content.certificate), at)
    case 'ocsp-request':
      return showRequest(content.request, pool)
    case 'ocsp-response':
      return showResponse(content.response, pool, at)
    case 'crl':
      return showCrl(content.crl, at)
  }
}

function formatJudged(judged: Judged, style: Style, at: Date): string[] {
  return [
    style.strong('verdict'),
    ...renderFields([...showSubject(judged, at), ...judged.conclusion], style),
    ...formatVerdicts(judged.verdicts, style),
    ...judged.warnings.flatMap(({ message }) => {
      return wrap(escapeUnprintable(message), 90).map(
        (line, index) => `  ${index === 0 ? style.warn('warning') : '       '}  ${line}`,
      )
    }),
  ]
}

/** Formats every rule's verdict as a table, with both sides of the comparison where one refused. */
function formatVerdicts(verdicts: readonly RuleVerdict[], style: Style): string[] {
  const width = Math.max(...verdicts.map(({ rule }) => rule.length))
  return verdicts.flatMap(({ rule, clause, outcome, error }) => {
    const first = `  ${style[tones[outcome]](outcome.padEnd(7))}  ${rule.padEnd(width)}  ${style.dim(clause)}`
    if (error === undefined) return [first]
    const { field, expected, found } = error.detail as RefusalDetail
    const why = { code: error.code, field, expected, found }
    return [first, ...Object.entries(why).flatMap(([name, text]) => detail(name, text, style))]
  })
}

function detail(name: string, text: string, style: Style): string[] {
  const lines = wrap(escapeUnprintable(text), 76)
  return lines.map((line, index) => `             ${style.dim((index === 0 ? name : '').padEnd(8))}  ${line}`)
}

const tones = { passed: 'good', refused: 'bad', skipped: 'dim' } as const
