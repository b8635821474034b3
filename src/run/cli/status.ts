/** `staplewright status`: how the running daemon is, as a table for people and an exit code for monitoring systems. */
import type { ExitCode } from '../daemon/exit-code.ts'
import { formatDistance } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'
import { CheckCode } from './check-code.ts'
import { askStatus, type ToldStatus } from './control-client.ts'
import { findControlPlace, type PlaceArguments } from './control-place.ts'
import { reportingControl } from './control-report.ts'
import { chooseStyle, type Io } from './io.ts'
import { judgeStatus, type Verdict } from './judge-status.ts'
import { formatEntries } from './staple-table.ts'

export interface StatusArguments extends PlaceArguments {
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function status(given: StatusArguments, io: Io): Promise<ExitCode> {
  return await reportingControl(io, CheckCode.unknown, () => showStatus(given, io))
}

async function showStatus(given: StatusArguments, io: Io): Promise<CheckCode> {
  const { status, json } = await askStatus(await findControlPlace(given, io))
  const verdict = judgeStatus(status, status.at)
  if (given.json) {
    const shown = { verdict: names[verdict.code], because: verdict.because, ...json }
    io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
  } else {
    io.stdout.write(formatStatus(status, verdict, chooseStyle(io, io.stdout, given.wantsColour)))
  }
  return verdict.code
}

/** The verdict on the first line, which is the one that monitoring systems show. */
function formatStatus(status: ToldStatus['status'], verdict: Verdict, style: Style): string {
  const { at, staples, front, workers, lastReload } = status
  const shown = staples.filter(({ waiting }) => waiting === undefined)
  const word = paints[verdict.code](style)(names[verdict.code])
  const lines = [
    `${word}: ${summarize(verdict) ?? `${describePlace(status)}, ${count(shown.length, 'certificate')} stapled`}`,
    ...(staples.length === 0 ? [] : ['', ...formatEntries(staples, at, style)]),
    '',
    `staplewright ${status.version}, pid ${status.pid}, since ${formatDistance(status.startedAt, at)}`,
    `configuration  ${status.configFile}`,
    `front          ${describePlace(status)}`,
    `connections    ${front.connections} open; ${front.accepted} accepted, ${front.refusedConnections} refused`,
    `handshakes     ${front.secured} done: ${front.stapled} stapled, ${front.unstapled} without the staple they asked for; ${front.failedHandshakes} failed, ${front.refusedHandshakes} refused`,
    ...(front.failedBackends > 0 ? [`backend        ${front.failedBackends} clients found none`] : []),
    ...(front.acceptedPeers + front.refusedPeers > 0
      ? [
          `clients        ${front.acceptedPeers} let in by ocsp_peer, ${front.warnedPeers} of them by a switch; ${front.refusedPeers} refused, ${front.closedPeers} cut later`,
        ]
      : []),
    ...(workers.length > 1 ? [`workers        ${workers.map(({ pid, state }) => `${pid} ${state}`).join(', ')}`] : []),
    ...(lastReload
      ? [`last reload    ${formatDistance(lastReload.at, at)}: ${lastReload.message.split('\n')[0]}`]
      : []),
  ]
  return `${lines.join('\n')}\n`
}

function summarize({ because }: Verdict): string | undefined {
  if (because.length === 0) return undefined
  const more = because.length > mostReasons ? `; and ${because.length - mostReasons} more` : ''
  return `${because.slice(0, mostReasons).join('; ')}${more}`
}

function describePlace({ phase, addresses }: ToldStatus['status']): string {
  return phase === 'open' ? `open on ${addresses.join(', ')}` : phase
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

const mostReasons = 3
const names = { 0: 'ok', 1: 'warning', 2: 'critical', 3: 'unknown' } as const
const paints = {
  [CheckCode.ok]: ({ good }: Style) => good,
  [CheckCode.warning]: ({ warn }: Style) => warn,
  [CheckCode.critical]: ({ bad }: Style) => bad,
  [CheckCode.unknown]: ({ bad }: Style) => bad,
}
