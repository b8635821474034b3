/** What the command line asks for, with every file read: or everything that is wrong with it, before anybody is connected to. */
import type { Target } from '../../../check/probe/record.ts'
import type { RevocationPolicy } from '../../../check/revocation/contract.ts'
import { isStapleError } from '../../../errors.ts'
import { parsePemCertificates } from '../../../pki/x509/pem.ts'
import { formatPem } from '../../config/pem-text.ts'
import type { Io } from '../io.ts'
import { parseDurationOption, parseMomentOption, UsageError } from '../usage.ts'
import type { PlannedTarget } from './config-targets.ts'
import {
  parseServerName,
  parseStarttls,
  parseTarget,
  parseTargetFile,
  type TargetDefaults,
  type TargetFile,
  withoutRepeats,
} from './targets.ts'

export interface CheckArguments {
  readonly targets: readonly string[]
  readonly file?: string
  readonly config?: string
  readonly starttls?: string
  readonly servername?: string
  readonly connections: number
  readonly timeout: string
  readonly caFile?: string
  readonly at?: string
  readonly phoneHome: boolean
  readonly revocation: string
  readonly stack?: boolean
  readonly parallel: number
  readonly verbose?: boolean
  readonly json?: boolean
  readonly prometheus?: boolean
  readonly html?: string
  readonly wantsColour: boolean
}

export interface CheckRequest {
  readonly planned: readonly PlannedTarget[]
  /** Further roots, PEM. */
  readonly ca: readonly string[]
  readonly timeoutMs: number
  readonly at?: Date
  readonly revocation: RevocationPolicy
}

/**
 * Reads what is asked for.
 *
 * @throws {@link UsageErrors} with every problem
 * @throws {@link StapleError} when the configuration cannot be used
 */
export async function readRequest(
  given: CheckArguments,
  io: Io,
  guessStarttls: TargetDefaults['guessStarttls'],
): Promise<CheckRequest> {
  const problems: UsageError[] = []
  const attempt: Attempt = async (read) => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(error)
      return undefined
    }
  }
  const { json, prometheus, caFile, at, config } = given
  if (json && prometheus) {
    problems.push(new UsageError('--json and --prometheus stand beside each other', 'give one of them'))
  }
  const defaults = await readDefaults(given, guessStarttls, attempt)
  const timeoutMs = await attempt(() => parseDurationOption('--timeout', given.timeout))
  const moment = at === undefined ? undefined : await attempt(() => parseMomentOption('--at', at))
  const revocation = await attempt(() => parseRevocation(given.revocation))
  const targets = await readTargets(given, io, defaults, attempt)
  problems.push(...targets.problems)
  const ca = caFile === undefined ? [] : ((await attempt(() => readRoots(caFile, io))) ?? [])
  const configured = config === undefined ? undefined : await readConfig(config, io)
  const planned = withoutRepeats([...targets.targets.map((target) => ({ target })), ...(configured?.planned ?? [])])
  if (planned.length === 0 && problems.length === 0) {
    const hint = 'name a target, as example.com:443, or -f FILE, or -c FILE'
    problems.push(new UsageError('there is nothing to check', hint))
  }
  if (problems.length > 0 || timeoutMs === undefined || revocation === undefined) throw new UsageErrors(problems)
  return {
    planned,
    ca: [...ca, ...(configured?.ca ?? [])],
    timeoutMs,
    revocation,
    ...(moment && { at: moment }),
  }
}

/** Reads one thing; what is wrong with it is kept for the end. */
type Attempt = <T>(read: () => T | Promise<T>) => Promise<T | undefined>

async function readDefaults(
  { starttls, servername }: CheckArguments,
  guessStarttls: TargetDefaults['guessStarttls'],
  attempt: Attempt,
): Promise<TargetDefaults> {
  const protocol = starttls === undefined ? undefined : await attempt(() => parseStarttls(starttls, '--starttls'))
  const name = servername === undefined ? undefined : await attempt(() => parseServerName(servername, '--servername'))
  return { guessStarttls, ...(protocol && { starttls: protocol }), ...(name !== undefined && { serverName: name }) }
}

async function readTargets(
  { targets: words, file }: CheckArguments,
  io: Io,
  defaults: TargetDefaults,
  attempt: Attempt,
): Promise<TargetFile> {
  const targets: Target[] = []
  for (const word of words.filter((each) => each !== '-')) {
    const target = await attempt(() => parseTarget(word, defaults))
    if (target) targets.push(target)
  }
  // `-` is standard input, also without -f.
  const files = [...(file === undefined ? [] : [file]), ...(words.includes('-') && file !== '-' ? ['-'] : [])]
  const problems: UsageError[] = []
  for (const each of files) {
    const text = await attempt(() => readText(each, io, '-f'))
    const listed = parseTargetFile(text ?? '', each === '-' ? 'standard input' : each, defaults)
    targets.push(...listed.targets)
    problems.push(...listed.problems)
  }
  return { targets, problems }
}

/** Everything that is wrong with a command line. */
export class UsageErrors extends Error {
  readonly problems: readonly UsageError[]

  constructor(problems: readonly UsageError[]) {
    super(problems.map(({ message }) => message).join('\n'))
    this.problems = problems
  }
}

/** Loaded only then: the configuration's schema costs as much as a look at a server. */
async function readConfig(file: string, io: Io) {
  const [{ loadConfig }, { planConfig, rootsOf }] = await Promise.all([
    import('../../config/index.ts'),
    import('./config-targets.ts'),
  ])
  const { environment, workingDirectory } = io
  const { settings } = await loadConfig(file, { environment, workingDirectory, purpose: 'look' })
  return { planned: planConfig(settings), ca: rootsOf(settings) }
}

async function readRoots(file: string, io: Io): Promise<string[]> {
  const text = await readText(file, io, '--ca-file')
  try {
    return parsePemCertificates(text).map(({ der }) => formatPem(der))
  } catch (error) {
    if (!isStapleError(error)) throw error
    const hint = 'give a PEM file with -----BEGIN CERTIFICATE----- blocks'
    throw new UsageError(`--ca-file ${file}: ${error.message}`, hint)
  }
}

async function readText(file: string, io: Io, option: string): Promise<string> {
  const { InputError, readInput } = await import('../../inspect/input.ts')
  try {
    return new TextDecoder().decode((await readInput(file, io, mostBytes)).bytes)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new UsageError(`${option} ${error.message}`, error.hint, { cause: error })
  }
}

function parseRevocation(text: string): RevocationPolicy {
  const policy = (['ocsp', 'crl', 'ocsp-then-crl'] as const).find((each) => each === text)
  if (policy !== undefined) return policy
  throw new UsageError(`--revocation "${text}" is no policy`, 'write ocsp, crl or ocsp-then-crl')
}

/** Some hundred thousand targets, or every root there is. */
const mostBytes = 16 * 1024 * 1024
