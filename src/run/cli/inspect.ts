/**
 * `staplewright inspect`: certificates, OCSP messages and CRLs field by field, and the verdict of every rule.
 *
 * No network: what is not among the files is named, with the option that would give it.
 */
import { isStapleError } from '../../errors.ts'
import { systemClock } from '../../keep/clock.ts'
import { escapeUnprintable } from '../../pki/der/text.ts'
import { formatTime } from '../../pki/der/time.ts'
import { proveIssuer } from '../../pki/x509/issuer.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import { type Document, type Fault, nameOf, type Reading, readDocuments } from '../inspect/documents.ts'
import { InputError, readInput } from '../inspect/input.ts'
import {
  describeFault,
  describeInspected,
  formatInspected,
  type Inspected,
  inspectDocument,
} from '../inspect/inspection.ts'
import { createPool, type Known } from '../inspect/pool.ts'
import { chooseStyle, type Io } from './io.ts'
import { reportFailure } from './report.ts'
import { parseMomentOption, reportUsage, UsageError } from './usage.ts'

export interface InspectArguments {
  /** Files, or - for standard input. */
  readonly files: readonly string[]
  readonly cert?: string
  readonly issuer?: string
  readonly at?: string
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code: 0 accepted or only shown, 1 refused, 2 not to be decoded. */
export async function inspect(given: InspectArguments, io: Io): Promise<ExitCode> {
  try {
    return await showAndJudge(given, io)
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) return reportFailure(thrown, io)
    reportUsage(thrown, io)
    return ExitCode.config
  }
}

async function showAndJudge(given: InspectArguments, io: Io): Promise<ExitCode> {
  const at = given.at === undefined ? systemClock.now() : parseMomentOption('--at', given.at)
  const named = [...given.files, given.cert, given.issuer].filter((name) => name === '-')
  if (named.length > 1) throw new UsageError('- is named more than once', 'standard input can be read once: use files')
  const beside = await readBeside(given, io)
  const documents: Document[] = []
  const faults: Fault[] = []
  for (const file of given.files) {
    const reading = await readFile(file, io)
    documents.push(...reading.documents)
    faults.push(...reading.faults)
  }
  const pool = createPool([...documents, ...beside.documents])
  if (beside.subject !== undefined)
    refuseOtherIssuer(beside.subject, beside.issuer, pool.issuerOf(beside.subject.certificate) !== undefined)
  const inspected = documents.map((document) => inspectDocument(document, pool, beside.subject, at))
  const exitCode = decideExit(inspected, faults)
  if (given.json) {
    const told = {
      exitCode,
      at: formatTime(at),
      documents: inspected.map(describeInspected),
      faults: faults.map(describeFault),
    }
    io.stdout.write(`${JSON.stringify(told, null, 2)}\n`)
  } else {
    const style = chooseStyle(io, io.stdout, given.wantsColour)
    io.stdout.write(inspected.map((each) => formatInspected(each, style, at)).join('\n'))
  }
  for (const fault of faults) {
    const kind = fault.isBeside ? 'note' : 'error'
    io.stderr.write(`${kind}: ${escapeUnprintable(`${fault.origin}: ${fault.message}`)}\n  hint: ${fault.hint}\n`)
  }
  return exitCode
}

/** What --cert and --issuer name: it is judged with, not shown. */
interface Beside {
  readonly documents: readonly Document[]
  readonly subject?: Known
  /** The first certificate of --issuer. */
  readonly issuer?: Known
}

async function readBeside({ cert, issuer }: InspectArguments, io: Io): Promise<Beside> {
  const certs = cert === undefined ? [] : await readCertificates('--cert', cert, io)
  const issuers = issuer === undefined ? [] : await readCertificates('--issuer', issuer, io)
  const [subject] = certs
  const [first] = issuers
  return {
    documents: [...certs, ...issuers].map(({ document }) => document),
    ...(subject === undefined ? {} : { subject: subject.known }),
    ...(first === undefined ? {} : { issuer: first.known }),
  }
}

async function readCertificates(option: string, file: string, io: Io): Promise<{ document: Document; known: Known }[]> {
  const { documents, faults } = await readFile(file, io)
  const certificates = documents.flatMap((document) => {
    const { content, origin } = document
    return content.kind === 'certificate' ? [{ document, known: { certificate: content.certificate, origin } }] : []
  })
  if (certificates.length > 0) return certificates
  const [fault] = faults
  if (fault !== undefined) throw new UsageError(`${option} ${fault.origin}: ${fault.message}`, fault.hint)
  const found = documents[0] === undefined ? 'nothing' : nameOf(documents[0].content.kind)
  throw new UsageError(`${option} ${file}: expected a certificate, found ${found}`, 'name the certificate there')
}

async function readFile(file: string, io: Io): Promise<Reading> {
  try {
    return readDocuments(await readInput(file, io, mostBytes))
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const { origin, reason, hint } = error
    return { documents: [], faults: [{ origin, message: reason, hint, isBeside: false }] }
  }
}

/** An issuer that was named and is not the one would else only be missed. */
function refuseOtherIssuer(subject: Known, issuer: Known | undefined, isFound: boolean): void {
  if (issuer === undefined || isFound) return
  try {
    proveIssuer(subject.certificate, issuer.certificate)
  } catch (error) {
    if (!isStapleError(error)) throw error
    throw new UsageError(`--issuer ${issuer.origin}: ${error.message}`, 'name the certificate of the CA that issued it')
  }
}

function decideExit(inspected: readonly Inspected[], faults: readonly Fault[]): ExitCode {
  if (faults.some(({ isBeside }) => !isBeside)) return ExitCode.config
  const isRefused = inspected.some(({ judged }) => judged.some(({ isAccepted }) => !isAccepted))
  return isRefused ? ExitCode.internal : ExitCode.ok
}

/** A CRL of 64 MiB, written as PEM. */
const mostBytes = 96 * 1024 * 1024
