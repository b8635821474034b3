/**
 * `staplewright fetch`: one staple, asked for once, verified, and written whole or not at all.
 *
 * Standard output carries the staple (or the JSON), so people are talked to on stderr.
 */
import { isStapleError, StapleError } from '../../errors.ts'
import { systemClock } from '../../keep/clock.ts'
import { createFetcher, type Fetcher, type HttpExchange } from '../../keep/fetch/index.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { InputError } from '../inspect/input.ts'
import { FetchCode, judgeFailure } from './fetch/exit-code.ts'
import { resolveOut, writeOut, writeToStdout } from './fetch/place.ts'
import { parseResponderURLs, readSubject, type Subject } from './fetch/question.ts'
import { describeOutcome, formatFailure, formatOutcome, type Outcome } from './fetch/report.ts'
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
  const subject = await readSubject(given.certificate, given.issuer, io)
  const key = certificateKey(subject.certificate.der)
  const file = given.out === undefined ? undefined : await resolveOut(given.out, key, io.workingDirectory)
  const responderURLs = ownURLs ?? subject.certificate.extensions.responderURLs
  const exchanges: HttpExchange[] = []
  const fetcher = createFetcher({
    clock: systemClock,
    environment: io.environment,
    requestTimeoutMs: Math.min(10_000, deadlineMs),
    connectTimeoutMs: Math.min(5_000, deadlineMs),
    deadlineMs,
    exchanged: (exchange) => exchanges.push(exchange),
  })
  let outcome: Outcome
  try {
    outcome = await ask(fetcher, subject, responderURLs, given)
  } finally {
    await fetcher.close()
  }
  const told = await put(outcome, file, given, io)
  tell(told, given, io)
  return told.exitCode
}

/** Asks, and judges what came or did not come. */
async function ask(
  fetcher: Fetcher,
  subject: Subject,
  responderURLs: readonly string[],
  given: FetchArguments,
): Promise<Outcome> {
  const { certificate } = subject
  const common = { responderURLs, subject }
  if (responderURLs.length === 0) {
    const error = noResponder(subject)
    const { noRevAvail } = certificate.extensions
    const hint = noRevAvail
      ? 'its CA gives no revocation information for it (noRevAvail): there is nothing to staple, and that is fine'
      : 'there is nothing to staple, unless its CA has a responder all the same: --url'
    return { ...common, at: systemClock.now(), exitCode: FetchCode.never, error, hint }
  }
  try {
    const issuer = subject.issuer ?? (await fetcher.fetchIssuer(certificate))
    const known = { ...common, subject: { certificate, issuer } }
    const answer = await fetcher.fetchStaple({
      certificate,
      issuer,
      responderURLs,
      hashAlgorithm: given.hash,
      method: given.method,
    })
    return { ...known, at: systemClock.now(), answer, ...judgeAnswer(answer.response, given.allowRevoked === true) }
  } catch (error) {
    if (!isStapleError(error)) throw error
    const at = systemClock.now()
    if (error.code === 'ERR_FETCH_NO_ISSUER' && certificate.extensions.caIssuersURLs.length === 0) {
      const hint = 'put its issuer behind it in the same file, or name it: --issuer FILE'
      return { ...common, at, error, exitCode: FetchCode.usage, hint }
    }
    const { code, hint } = judgeFailure(error, certificate, at)
    return { ...common, at, error, exitCode: code, hint }
  }
}

/** What the exit code is of an answer that was verified, and why it is not written. */
function judgeAnswer(
  { certStatus, isContradictory }: { readonly certStatus: string; readonly isContradictory: boolean },
  isRevokedAllowed: boolean,
): Pick<Outcome, 'exitCode' | 'hint'> {
  if (isContradictory) {
    const hint =
      'not written: its entries about this certificate contradict each other, and clients read different ones'
    return { exitCode: FetchCode.never, hint }
  }
  if (certStatus === 'good' || isRevokedAllowed) return { exitCode: FetchCode.ok }
  const mend = certStatus === 'revoked' ? 'replace the certificate' : 'ask the CA why it does not know its certificate'
  return { exitCode: FetchCode.never, hint: `not written: ${mend}; --allow-revoked writes it all the same` }
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
  else io.stderr.write(formatOutcome(outcome, style))
}

function noResponder({ certificate }: Subject): StapleError {
  const found = certificate.extensions.noRevAvail ? 'noRevAvail' : 'none'
  return new StapleError('ERR_X509_NO_RESPONDER_URL', 'the certificate names no OCSP responder', {
    field: 'certificate.extensions.authorityInfoAccess',
    expected: 'the URL of an OCSP responder',
    found,
    clause: 'RFC 5280 §4.2.2.1',
  })
}
