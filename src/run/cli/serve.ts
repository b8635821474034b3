/** `staplewright serve`: reads the configuration, then runs the daemon, or with -t the dry run. */
import { systemClock } from '../../keep/clock.ts'
import { type LoadedConfig, loadConfig } from '../config/index.ts'
import { createDaemon } from '../daemon/daemon.ts'
import { dryRun } from '../daemon/dry-run.ts'
import type { ExitCode } from '../daemon/exit-code.ts'
import { probeListeners } from '../daemon/probe-listeners.ts'
import { type Journal, type Level, openJournal } from '../journal/journal.ts'
import { hasOrphans } from '../workers/orphan.ts'
import { chooseStyle, type Io } from './io.ts'
import { formatStaples } from './staple-table.ts'

export interface ServeArguments {
  readonly config: string
  readonly test?: boolean
  readonly listen?: string
  readonly backend?: string
  readonly json?: boolean
  readonly wantsColour: boolean
}

/** Runs the command; resolves with its exit code. */
export async function serve(given: ServeArguments, io: Io): Promise<ExitCode> {
  const load = (texts?: ReadonlyMap<string, Uint8Array>) =>
    loadConfig(given.config, {
      ...(texts !== undefined && { texts }),
      environment: io.environment,
      workingDirectory: io.workingDirectory,
      ...(given.listen !== undefined && { listen: given.listen }),
      ...(given.backend !== undefined && { backend: given.backend }),
    })
  const loaded = await load()
  return given.test ? await test(given, loaded, io) : await run(given, loaded, io, load)
}

async function run(
  given: ServeArguments,
  { settings, notices }: LoadedConfig,
  io: Io,
  load: (texts?: ReadonlyMap<string, Uint8Array>) => Promise<LoadedConfig>,
): Promise<ExitCode> {
  const wanted = given.json ? 'json' : settings.log.format
  const format = wanted === 'auto' ? (io.stderr.isTTY ? 'text' : 'json') : wanted
  const journal = await openJournal({
    format,
    level: settings.log.level as Level,
    stream: io.stderr,
    style: chooseStyle(io, io.stderr, given.wantsColour),
    now: systemClock.now,
  })
  sayNotices(journal, notices)
  // Before anything is made or asked: a second daemon must not touch the store of the first.
  // Workers of a daemon that died may hold the addresses: they let go when they are asked, and the probe would not.
  if (!(await hasOrphans(settings.admin.socket))) await probeListeners(settings.listeners)
  const daemon = createDaemon({ settings, journal, load, format })
  const ignored = [
    io.onSignal('SIGTERM', () => daemon.stop('SIGTERM')),
    io.onSignal('SIGINT', () => daemon.stop('SIGINT')),
    io.onSignal('SIGHUP', () => void daemon.reload('SIGHUP').then(() => daemon.refresh())),
  ]
  try {
    return await daemon.run()
  } finally {
    for (const ignore of ignored) ignore()
    journal.close()
  }
}

async function test(given: ServeArguments, { settings, notices }: LoadedConfig, io: Io): Promise<ExitCode> {
  const style = chooseStyle(io, io.stdout, given.wantsColour)
  if (!given.json) for (const notice of notices) io.stderr.write(`note: ${formatNotice(notice)}\n`)
  const found = await dryRun(settings)
  if (given.json) io.stdout.write(`${JSON.stringify({ file: settings.file, ...found, notices }, null, 2)}\n`)
  else io.stdout.write(formatStaples(found, systemClock.now(), style))
  return found.exitCode
}

function sayNotices(journal: Journal, notices: LoadedConfig['notices']): void {
  for (const notice of notices) journal.say({ level: 'info', subject: 'config', text: formatNotice(notice) })
}

function formatNotice({ file, line, column, message }: LoadedConfig['notices'][number]): string {
  return `${file}:${line}:${column}: ${message}`
}
