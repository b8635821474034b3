/**
 * A strict client's verdict on a staple, by `openssl ocsp`: none of our own code has a part in it.
 *
 * Strict is: full certID match, signature and authority, no tolerance on nextUpdate,
 * 300 s on thisUpdate. openssl checks times only against the machine's clock, so `at` is compared here, with what
 * openssl prints.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../program.ts'
import { temporaryDirectory } from '../temporary.ts'
import type { CertStatus } from './outcome.ts'

export interface StrictVerdict {
  /** What a strict client makes of it; `refused` is neither good nor revoked: it would end the connection. */
  readonly verdict: CertStatus | 'refused'
  readonly refusedBecause?: string
  /** The hash of the certID that matched: curl and Java look for sha1 alone. */
  readonly hashAlgorithm?: 'sha1' | 'sha256'
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
  readonly output: string
}

/** What the judge must know of the certificate: a `Leaf` of authority.ts fits. */
export interface Judged {
  /** PEM, the leaf first. */
  readonly certificateFile: string
  /** PEM: the issuer and its root. */
  readonly caFile: string
}

/** Judges a staple as a strict client would at `at`. `issuerFile`: PEM of the certificate that signed the leaf. */
export async function judgeStrictly(
  staple: Uint8Array,
  leaf: Judged,
  issuerFile: string,
  at: Date = new Date(),
): Promise<StrictVerdict> {
  directory ??= temporaryDirectory('judge')
  const file = join(directory, `staple-${++count}`)
  await writeFile(file, staple)
  let last: StrictVerdict | undefined
  for (const hashAlgorithm of ['sha1', 'sha256'] as const) {
    const { output } = await runProgram('openssl', [
      ...[
        'ocsp',
        '-respin',
        file,
        '-no_nonce',
        '-issuer',
        issuerFile,
        `-${hashAlgorithm}`,
        '-cert',
        leaf.certificateFile,
      ],
      ...['-CAfile', leaf.caFile, '-verify_other', issuerFile, '-attime', String(Math.floor(at.getTime() / 1000))],
      ...['-validity_period', tenYears],
    ])
    last = { ...read(output, leaf.certificateFile, at), output }
    if (last.verdict !== 'refused') return { ...last, hashAlgorithm }
    if (last.refusedBecause !== notAbout) return last
  }
  return last as StrictVerdict
}

let directory: string | undefined
let count = 0
const notAbout = 'no single response is about this certificate'
const skewMs = 300_000
/** openssl's own judgement of the times is by the machine's clock: asked not to have one. */
const tenYears = '315360000'

function read(output: string, certificateFile: string, at: Date): Omit<StrictVerdict, 'output'> {
  const refused = (refusedBecause: string) => ({ verdict: 'refused' as const, refusedBecause })
  const line = output.split('\n').find((each) => each.startsWith(`${certificateFile}: `))
  const certStatus = /: (good|revoked|unknown)$/.exec(line?.trim() ?? '')?.[1] as CertStatus | undefined
  const isMissing = output.includes('ERROR: No Status found')
  if (!/Response verify OK/i.test(output)) return refused(output.trim().split('\n').slice(0, 3).join(' '))
  if (isMissing || certStatus === undefined) return refused(notAbout)

  const thisUpdate = momentOf(output, 'This Update')
  const nextUpdate = momentOf(output, 'Next Update')
  const times = { ...(thisUpdate && { thisUpdate }), ...(nextUpdate && { nextUpdate }) }
  if (!thisUpdate) return refused('no thisUpdate')
  if (thisUpdate.getTime() > at.getTime() + skewMs) return { ...refused('thisUpdate is in the future'), ...times }
  if (nextUpdate && nextUpdate <= at) return { ...refused('nextUpdate has passed'), ...times }
  return { verdict: certStatus, ...times }
}

/** openssl prints `Jan  2 03:04:05 2026 GMT`. */
function momentOf(output: string, field: string): Date | undefined {
  const text = new RegExp(`${field}: (.+ GMT)`).exec(output)?.[1]
  return text === undefined ? undefined : new Date(text)
}
