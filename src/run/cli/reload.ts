/** `staplewright reload`: has the running daemon read its configuration anew, and waits for what comes of it. */
import type { ReloadOutcome } from '../admin/index.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import { askDaemon, askStatus } from './control-client.ts'
import { findControlPlace, type PlaceArguments } from './control-place.ts'
import { reportingControl } from './control-report.ts'
import type { Io } from './io.ts'

export interface ReloadArguments extends PlaceArguments {
  readonly json?: boolean
}

/** Runs the command; resolves with its exit code. */
export async function reload(given: ReloadArguments, io: Io): Promise<ExitCode> {
  return await reportingControl(io, ExitCode.config, () => askToReload(given, io))
}

async function askToReload(given: ReloadArguments, io: Io): Promise<ExitCode> {
  const place = await findControlPlace(given, io)
  await askStatus(place)
  const { json } = await askDaemon(place, 'POST', '/reload', longestMs)
  const outcome = json as ReloadOutcome
  if (given.json) io.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
  else if (outcome.isDone) io.stdout.write(`${outcome.message}\n`)
  else {
    // Each problem is one line and its indented details, as `serve` prints them.
    const problems = (outcome.problems ?? []).map((problem) => problem.replace(/^(?! )/gm, 'error: '))
    io.stderr.write(`${[`error: ${outcome.message}`, ...problems].join('\n')}\n`)
  }
  return outcome.isDone ? ExitCode.ok : ExitCode.internal
}

/** New certificates are waited for, and their responders have `start_timeout`, which may be long. */
const longestMs = 600_000
