/** What came of one fetch, for people on stderr and for programs as JSON (docs/guide/fetch.md). */
import type { StapleError } from '../../../errors.ts'
import type { FetchedStaple, HttpExchange } from '../../../keep/fetch/index.ts'
import { escapeUnprintable } from '../../../pki/der/text.ts'
import { formatTime } from '../../../pki/der/time.ts'
import { certificateKey } from '../../../pki/x509/crypto.ts'
import { formatName } from '../../../pki/x509/name.ts'
import { formatDistance, formatSpan } from '../../journal/span.ts'
import type { Style } from '../../journal/style.ts'
import { causesOf, type FetchCode } from './exit-code.ts'
import type { Subject } from './question.ts'
import { describeExchange } from './trace.ts'

/** What is told of it. */
export interface Outcome {
  readonly exitCode: FetchCode
  readonly at: Date
  readonly subject: Subject
  readonly responderURLs: readonly string[]
  readonly answer?: FetchedStaple
  /** The file that it was written to. */
  readonly written?: string
  readonly error?: StapleError
  /** Every exchange, where they were asked for. */
  readonly exchanges?: readonly HttpExchange[]
  /** What to do, where something is to be done. */
  readonly hint?: string
}

/** Formats an answer: the status first, then where it comes from and until when it counts. */
export function formatOutcome({ at, subject, answer, written, hint }: Outcome, style: Style): string {
  if (answer === undefined) return ''
  const { response, responderURL, method, hashAlgorithm, elapsedMs, failures } = answer
  const { certStatus, revocationTime, revocationReason, nextUpdate, effectiveNextUpdate, signer } = response
  const paint = certStatus === 'good' ? style.good : style.bad
  const reason = revocationReason === undefined ? '' : `, ${revocationReason}`
  const since = revocationTime === undefined ? '' : ` since ${formatDistance(revocationTime, at)}${reason}`
  const until = nextUpdate === undefined ? ' (none stated: this is what Staplewright makes of it)' : ''
  const { certificate } = subject
  const rows: readonly (readonly [string, string])[] = [
    ['certificate', `${formatName(certificate.subject)}, serial number ${certificate.serialNumber.toString(16)}`],
    ['thisUpdate', formatDistance(response.thisUpdate, at)],
    ['nextUpdate', `${formatDistance(effectiveNextUpdate, at)}${until}`],
    ['signer', `${signer.name} (${signerKinds[signer.kind]})`],
    ['responder', `${responderURL}, ${method.toUpperCase()}, ${hashNames[hashAlgorithm]}, ${formatSpan(elapsedMs)}`],
    ...failures.map(({ message }) => ['before that', message] as const),
    ...response.warnings.map(({ message }) => ['warning', message] as const),
    ...(written === undefined ? [] : [['written', `${written} (${response.der.length} bytes)`] as const]),
  ]
  const lines = rows.map(([name, text]) => `  ${style.dim(name.padEnd(12))}  ${escapeUnprintable(text)}`)
  const verdict = `${paint(certStatus)}${since}: verified, ${response.der.length} bytes`
  return `${[verdict, ...lines, ...(hint === undefined ? [] : [`  hint: ${hint}`])].join('\n')}\n`
}

/** Formats a failure: each cause on a line of its own, and what to do. */
export function formatFailure(error: StapleError, hint: string): string {
  const messages = [...new Set(causesOf(error).map(({ message }) => escapeUnprintable(message)))]
  const [first = error.message] = messages
  const lines = messages.length > 1 ? ['no responder gave an acceptable answer:', ...messages.map(indent)] : [first]
  return `error: ${lines.join('\n')}\n  hint: ${hint}\n`
}

/** The same as a value: the documented shape. */
export function describeOutcome(outcome: Outcome): object {
  const { subject, answer, error } = outcome
  const { certificate, issuer } = subject
  return {
    exitCode: outcome.exitCode,
    at: formatTime(outcome.at),
    certificate: {
      subject: formatName(certificate.subject),
      serialNumber: certificate.serialNumber.toString(16),
      certificateKey: certificateKey(certificate.der),
      notBefore: formatTime(certificate.notBefore),
      notAfter: formatTime(certificate.notAfter),
    },
    ...(issuer === undefined ? {} : { issuer: formatName(issuer.subject) }),
    responderURLs: outcome.responderURLs,
    ...(answer === undefined ? {} : { answer: describeAnswer(answer) }),
    ...(outcome.written === undefined ? {} : { written: outcome.written }),
    ...(error === undefined ? {} : { error: describeError(error) }),
    ...(outcome.hint === undefined ? {} : { hint: outcome.hint }),
    ...(outcome.exchanges === undefined ? {} : { exchanges: outcome.exchanges.map(describeExchange) }),
  }
}

function describeAnswer(answer: FetchedStaple): object {
  const { response } = answer
  const { signer, revocationTime, revocationReason, nextUpdate } = response
  return {
    certStatus: response.certStatus,
    ...(revocationTime === undefined ? {} : { revocationTime: formatTime(revocationTime) }),
    ...(revocationReason === undefined ? {} : { revocationReason }),
    producedAt: formatTime(response.producedAt),
    thisUpdate: formatTime(response.thisUpdate),
    ...(nextUpdate === undefined ? {} : { nextUpdate: formatTime(nextUpdate) }),
    effectiveNextUpdate: formatTime(response.effectiveNextUpdate),
    usableUntil: formatTime(response.usableUntil),
    signer: { kind: signer.kind, name: signer.name },
    responderURL: answer.responderURL,
    method: answer.method,
    hashAlgorithm: answer.hashAlgorithm,
    elapsedMs: Math.round(answer.elapsedMs),
    failures: answer.failures.map(describeError),
    warnings: response.warnings,
    bytes: response.der.length,
    response: Buffer.from(response.der).toString('base64'),
  }
}

function describeError(error: StapleError): object {
  const { causes, retryAfterMs } = error.detail as { causes?: readonly StapleError[]; retryAfterMs?: number }
  return {
    code: error.code,
    message: error.message,
    ...(causes === undefined ? {} : { causes: causes.map(describeError) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

function indent(line: string): string {
  return `  ${line}`
}

const signerKinds = {
  issuer: 'the issuer itself',
  delegated: 'a delegated responder of the issuer',
  configured: 'a configured responder',
} as const
const hashNames = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const
