/**
 * `staplewright fetch`: one staple, asked for once, verified, and written whole or not at all.
 *
 * Standard output carries the staple (or the JSON), so people are talked to on stderr.
 */
import { systemClock } from '../../keep/clock.ts'
import { createFetcher, type HttpExchange } from '../../keep/fetch/index.ts'
import { escapeUnprintable } from '../../pki/der/text.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { InputError } from '../inspect/input.ts'
import { formatSpan } from '../journal/span.ts'
import { ask } from './fetch/ask.ts'
import { FetchCode } from './fetch/exit-code.ts'
import { resolveOut, writeOut, writeToStdout } from './fetch/place.ts'
import { parseResponderURLs, readSubject, type Subject } from './fetch/question.ts'
import { describeOutcome, formatFailure, formatOutcome, type Outcome } from './fetch/report.ts'
import { createTrace } from './fetch/trace.ts'
import { chooseStyle, type Io } from './io.ts'
import { reportFailure } from './report.ts'
import { parseDurationOption, reportUsage, UsageError } from './usage.ts'

export interface FetchArguments {
  /** A file, or - for standard input. */
  readonly certificate: string
  readonly issuer?: string
  readonly out?: string
  /** Several with commas between them. */
  readonly url?: string
  readonly hash: 'auto' | 'sha1' | 'sha256'
  readonly method: 'auto' | 'get' | 'post'
  readonly timeout: string
  readonly allowRevoked?: boolean
  readonly verbose?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function fetch(given: FetchArguments, io: Io): Promise<FetchCode> {
  try {
    return await fetchAndTell(given, io)
  } catch (thrown) {
    if (thrown instanceof UsageError || thrown instanceof InputError) {
      reportUsage(thrown, io)
      return FetchCode.usage
    }
    reportFailure(thrown, io)
    return FetchCode.never
  }
}

async function fetchAndTell(given: FetchArguments, io: Io): Promise<FetchCode> {
  const deadlineMs = parseDurationOption('--timeout', given.timeout)
  const ownURLs = given.url === undefined ? undefined : parseResponderURLs(given.url)
  if (given.out === undefined && !given.json && io.stdout.isTTY) {
    const hint = 'write it to a file: --out staple.der; or pipe it on; or look at it with --json'
    throw new UsageError('the staple is DER, and standard output is a terminal', hint)
  }
  let subject = await readSubject(given.certificate, given.issuer, io)
  const key = certificateKey(subject.certificate.der)
  const file = given.out === undefined ? undefined : await resolveOut(given.out, key, io.workingDirectory)
  const responderURLs = ownURLs ?? subject.certificate.extensions.responderURLs
  const trace = createTrace(chooseStyle(io, io.stderr, given.wantsColour))
  const exchanges: HttpExchange[] = []
  const fetcher = createFetcher({
    clock: systemClock,
    environment: io.environment,
    // Who gives the attempt longer than usual gives each request longer, too.
    requestTimeoutMs: Math.max(Math.min(10_000, deadlineMs), deadlineMs / 3),
    connectTimeoutMs: Math.max(Math.min(5_000, deadlineMs), deadlineMs / 6),
    deadlineMs,
    exchanged(exchange) {
      if (!given.verbose) return
      exchanges.push(exchange)
      if (!given.json) io.stderr.write(trace.format(exchange, subject, systemClock.now()))
    },
  })
  const cancelPatience = askForPatience(responderURLs, deadlineMs, given, io)
  let outcome: Outcome
  try {
    const { hash: hashAlgorithm, method, allowRevoked: isRevokedAllowed = false } = given
    const found = (known: Subject) => {
      subject = known
    }
    const attempt = {
      fetcher,
      clock: systemClock,
      subject,
      responderURLs,
      hashAlgorithm,
      method,
      isRevokedAllowed,
      found,
    }
    outcome = await ask(attempt)
  } finally {
    cancelPatience()
    await fetcher.close()
  }
  const told = await put(outcome, file, given, io)
  tell(given.verbose ? { ...told, exchanges } : told, given, io)
  return told.exitCode
}

/** A person at a terminal is told after a second what is waited for. */
function askForPatience(urls: readonly string[], deadlineMs: number, given: FetchArguments, io: Io): () => void {
  if (!io.stderr.isTTY || given.verbose) return () => {}
  return systemClock.wake(1000, () => {
    io.stderr.write(`asking ${escapeUnprintable(urls.join(', '))} for up to ${formatSpan(deadlineMs)}\n`)
  })
}

/** Puts a good answer where it belongs. */
async function put(outcome: Outcome, file: string | undefined, given: FetchArguments, io: Io): Promise<Outcome> {
  if (outcome.answer === undefined || outcome.exitCode !== FetchCode.ok) return outcome
  const { der } = outcome.answer.response
  if (file !== undefined) {
    await writeOut(file, der)
    return { ...outcome, written: file }
  }
  if (!given.json) await writeToStdout(der, io)
  return outcome
}

function tell(outcome: Outcome, given: FetchArguments, io: Io): void {
  const style = chooseStyle(io, io.stderr, given.wantsColour)
  const { error, hint = '' } = outcome
  if (error !== undefined) io.stderr.write(formatFailure(error, hint))
  if (given.json) io.stdout.write(`${JSON.stringify(describeOutcome(outcome), null, 2)}\n`)
  else if (!given.quiet || outcome.exitCode !== FetchCode.ok) io.stderr.write(formatOutcome(outcome, style))
}
