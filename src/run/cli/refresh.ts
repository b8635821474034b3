/** `staplewright refresh`: has the running daemon ask the responders now, and waits for their answers. */
import type { RefreshOutcome } from '../admin/index.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import { askDaemon, askStatus } from './control-client.ts'
import { ControlError, findControlPlace, type PlaceArguments } from './control-place.ts'
import { reportingControl } from './control-report.ts'
import { chooseStyle, type Io } from './io.ts'

export interface RefreshArguments extends PlaceArguments {
  /** Label, file, site name, serial number or certificateKey; absent: all. */
  readonly certificate?: string
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function refresh(given: RefreshArguments, io: Io): Promise<ExitCode> {
  return await reportingControl(io, ExitCode.config, () => askToRefresh(given, io))
}

async function askToRefresh(given: RefreshArguments, io: Io): Promise<ExitCode> {
  const place = await findControlPlace(given, io)
  await askStatus(place)
  const query = given.certificate === undefined ? '' : `?certificate=${encodeURIComponent(given.certificate)}`
  const { code, json } = await askDaemon(place, 'POST', `/refresh${query}`, longestMs)
  if (code === 404) {
    const hint = '`staplewright status` shows them; a certificateKey may be cut to its first 8 digits'
    throw new ControlError('usage', `no certificate that is kept stapled is called "${given.certificate}"`, hint)
  }
  const outcome = json as RefreshOutcome
  if (given.json) io.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
  else io.stdout.write(formatOutcome(outcome, given, io))
  return outcome.failed.length > 0 ? ExitCode.internal : ExitCode.ok
}

function formatOutcome({ asked, failed }: RefreshOutcome, { wantsColour }: RefreshArguments, io: Io): string {
  if (asked.length === 0) return 'no certificate is kept stapled: nobody was asked\n'
  const style = chooseStyle(io, io.stdout, wantsColour)
  const failures = new Map(failed.map(({ label, message }) => [label, message]))
  const lines = asked.map((label) => {
    const message = failures.get(label)
    if (message === undefined) return `${style.good('answered')}  ${label}`
    const [first, ...rest] = message.split('\n')
    return [`${style.bad('failed')}    ${label}: ${first}`, ...rest.map((text) => `          ${text}`)].join('\n')
  })
  return `${lines.join('\n')}\n`
}

/** Each is asked for 30 s at most, some at a time. */
const longestMs = 600_000
