/** `staplewright fetch -v`: every exchange as it ends; the request field by field, and what the rules say of each answer. */
import type { HttpExchange } from '../../../keep/fetch/index.ts'
import { isSameBytes } from '../../../pki/der/bytes.ts'
import { escapeUnprintable } from '../../../pki/der/text.ts'
import { type Document, readDocuments } from '../../inspect/documents.ts'
import { formatInspected, inspectDocument } from '../../inspect/inspection.ts'
import { createPool } from '../../inspect/pool.ts'
import { wrap } from '../../inspect/render.ts'
import { formatSpan } from '../../journal/span.ts'
import type { Style } from '../../journal/style.ts'
import type { Subject } from './question.ts'

export interface Trace {
  /** What came of a request, as text. */
  format(exchange: HttpExchange, subject: Subject, at: Date): string
}

/** Creates a trace. What was shown once is only named again: the same request by another method, the same answer. */
export function createTrace(style: Style): Trace {
  const shown: Uint8Array[] = []
  const isNew = (bytes: Uint8Array) => {
    if (shown.some((other) => isSameBytes(other, bytes))) return false
    shown.push(bytes)
    return true
  }

  const show = (bytes: Uint8Array, name: string, { certificate, issuer }: Subject, at: Date): string[] => {
    if (!isNew(bytes)) return [style.dim('  as shown before')]
    const { documents, faults } = readDocuments({ name, bytes })
    const beside = [certificate, ...(issuer === undefined ? [] : [issuer])].map(asDocument)
    const pool = createPool([...documents, ...beside])
    const about = { certificate, origin: 'the certificate' }
    const texts = documents.map((each) => formatInspected(inspectDocument(each, pool, about, at), style, at))
    return [...texts, ...faults.map(({ message }) => `  ${message}`)].flatMap((text) => indent(text))
  }

  return {
    format(exchange, subject, at) {
      const { method, url, request, body, redirects } = exchange
      const lines = [
        ...wrap(escapeUnprintable(url), 95).map(
          (line, index) => `${index === 0 ? style.strong(method.padEnd(4)) : '    '} ${line}`,
        ),
        ...(request === undefined ? [] : show(request, 'what is asked', subject, at)),
        ...redirects.map((place) => `  redirected to ${escapeUnprintable(place)}`),
        ...describeAnswer(exchange),
        ...(body === undefined || request === undefined ? [] : show(body, 'what came', subject, at)),
      ]
      return `${lines.join('\n')}\n\n`
    },
  }
}

/** An exchange as a value: the documented shape. */
export function describeExchange(exchange: HttpExchange): object {
  const { method, url, redirects, request, status, headers, body, error, elapsedMs } = exchange
  const type = headers?.['content-type']
  return {
    method,
    url,
    ...(redirects.length === 0 ? {} : { redirects }),
    ...(request === undefined ? {} : { request: base64(request) }),
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { contentType: type }),
    ...(body === undefined ? {} : { bytes: body.length, body: base64(body) }),
    ...(error === undefined ? {} : { error: (error as Error).message }),
    elapsedMs: Math.round(elapsedMs),
  }
}

function describeAnswer({ status, headers, body, error, elapsedMs }: HttpExchange): string[] {
  const span = formatSpan(elapsedMs)
  const facts = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(headers?.['content-type'] === undefined ? [] : [escapeUnprintable(headers['content-type'])]),
    ...(body === undefined ? [] : [`${body.length} bytes`]),
    `after ${span}`,
  ]
  const what = error === undefined ? '' : `: ${escapeUnprintable((error as Error).message)}`
  return [`  ${facts.join(', ')}${what}`]
}

function asDocument(certificate: Subject['certificate'], index: number): Document {
  const origin = index === 0 ? 'the certificate' : 'the issuer'
  return { origin, der: certificate.der, content: { kind: 'certificate', certificate } }
}

function indent(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
