/** `staplewright check`: looks at servers from outside and says, in words and as an exit code, how their staples are. */
import { resolve } from 'node:path'
import type { Remedy } from '../../check/diagnose/finding.ts'
import { type Examination, type ExamineOptions, examine } from '../../check/examine.ts'
import { guessStarttls } from '../../check/probe/index.ts'
import { createStatusAsker } from '../../check/revocation/index.ts'
import { systemClock } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import {
  type CheckReport,
  formatJson,
  formatText,
  reportBroken,
  reportObstacle,
  summarize,
  summarizeRun,
  type TargetReport,
} from '../report/index.ts'
import type { PlannedTarget } from './check/config-targets.ts'
import { runInOrder } from './check/in-order.ts'
import { startProgress } from './check/progress.ts'
import { type CheckArguments, type CheckRequest, readRequest, UsageErrors } from './check/request.ts'
import { writePage } from './check/write-file.ts'
import { CheckCode } from './check-code.ts'
import { chooseStyle, type Io } from './io.ts'
import { reportFailure } from './report.ts'
import { reportUsage, UsageError } from './usage.ts'

/** Runs the command; resolves with its exit code. */
export async function check(given: CheckArguments, io: Io): Promise<CheckCode> {
  try {
    const report = await examineAll(given, await readRequest(given, io, guessStarttls), io)
    await write(report, given, io)
    return CheckCode[report.verdict]
  } catch (thrown) {
    if (thrown instanceof UsageErrors) reportProblems(thrown, io)
    else if (thrown instanceof UsageError) reportUsage(thrown, io)
    else reportFailure(thrown, io, nothingDone)
    return CheckCode.unknown
  }
}

function reportProblems({ problems }: UsageErrors, io: Io): void {
  for (const problem of problems) reportUsage(problem, io)
  if (problems.length > 1) io.stderr.write(`${problems.length} problems; ${nothingDone}\n`)
}

const nothingDone = 'nothing was connected to'

async function examineAll(given: CheckArguments, request: CheckRequest, io: Io): Promise<CheckReport> {
  const { planned } = request
  const at = systemClock.now()
  const startedMs = systemClock.monotonicMs()
  const interrupt = new AbortController()
  const ignored = (['SIGINT', 'SIGTERM'] as const).map((name) => io.onSignal(name, () => interrupt.abort()))
  const progress = startProgress(io, planned.length, systemClock)
  limitResolver(request.timeoutMs, io)
  const tools = openTools(given, request, io)
  try {
    const { signal } = interrupt
    const reports = await runInOrder(planned, { parallel: given.parallel, signal }, async (each) => {
      const report = await look(each, { ...tools.options, signal })
      progress.step(report.verdict !== 'ok')
      return report
    })
    const targets = reports.filter((each) => each !== undefined)
    const elapsedMs = systemClock.monotonicMs() - startedMs
    return summarizeRun(targets, { at, elapsedMs, unchecked: planned.length - targets.length })
  } finally {
    progress.end()
    for (const ignore of ignored) ignore()
    await tools.close()
  }
}

/** Never rejects: what goes wrong with one target leaves the others alone. */
async function look({ target, obstacle, isOwn }: PlannedTarget, options: ExamineOptions): Promise<TargetReport> {
  const at = options.at ?? systemClock.now()
  if (obstacle) return reportObstacle(target, obstacle, at)
  try {
    const examination = await examine(target, options)
    return summarize(isOwn ? remedyOwn(examination) : examination)
  } catch (error) {
    return reportBroken(target, error, at)
  }
}

/** A front of one's own is neither Apache nor nats-server, and how those are mended says nothing to who runs it. */
function remedyOwn(examination: Examination): Examination {
  const findings = examination.findings.map((finding) => {
    const common = finding.remedies.filter(({ server }) => server === undefined)
    const isOthers = common.length === 0 && finding.remedies.length > 0
    return { ...finding, remedies: [...(ownRemedies[finding.code] ?? (isOthers ? [askStatus] : [])), ...common] }
  })
  return { ...examination, findings }
}

const askStatus = { text: '`staplewright status -c FILE` says what became of its staples; its log says why.' }

const ownRemedies: Readonly<Record<string, readonly Remedy[]>> = {
  'could-not-connect': [{ text: 'See whether it runs: `staplewright status -c FILE`; its log says why it does not.' }],
  'must-staple-without-staple': [askStatus],
  'no-staple': [
    {
      text: 'Only certificates that demand a staple (Must-Staple) get one, as in nats-server, unless the configuration says:',
      lines: ['ocsp { mode: always }'],
      kind: 'configuration',
    },
    askStatus,
  ],
}

/**
 * Tells the C library, which resolves names, to give up with us: it asks a silent name server for ten seconds and more,
 * and the process cannot end before.
 *
 * @see resolv.conf(5), RES_OPTIONS
 */
function limitResolver(timeoutMs: number, { environment }: Io): void {
  environment.RES_OPTIONS ??= `timeout:${Math.max(1, Math.floor(timeoutMs / 2000))} attempts:2`
}

/** What all targets share: one fetcher, one cache of what CAs said. */
function openTools(given: CheckArguments, request: CheckRequest, io: Io) {
  const { connections, phoneHome, stack = false } = given
  const { ca, timeoutMs, at, revocation } = request
  const options = { clock: systemClock, connections, timeoutMs, ca, stack, revocation, ...(at && { at }) }
  if (!phoneHome) return { options, close: async () => {} }
  // A CA that hangs must not hold up the verdict: monitoring systems kill what takes longer than ten seconds.
  const fetcher = createFetcher({ clock: systemClock, environment: io.environment, deadlineMs: timeoutMs })
  const asker = createStatusAsker({ clock: systemClock, fetcher, policy: revocation, deadlineMs: timeoutMs })
  const fetchIssuer: NonNullable<ExamineOptions['fetchIssuer']> = (leaf, origin) =>
    fetcher.fetchIssuer(leaf, undefined, origin)
  return {
    options: { ...options, asker, fetchIssuer },
    async close() {
      await asker.close()
      await fetcher.close()
    },
  }
}

async function write(report: CheckReport, given: CheckArguments, io: Io): Promise<void> {
  const { json, prometheus, html, verbose = false, wantsColour } = given
  if (json) io.stdout.write(formatJson(report))
  else if (prometheus) {
    const { formatMetrics } = await import('../report/metrics.ts')
    io.stdout.write(await formatMetrics(report))
  } else {
    const style = chooseStyle(io, io.stdout, wantsColour)
    const width = Math.min(Math.max(io.stdout.columns ?? widest, narrowest), widest)
    io.stdout.write(formatText(report, { style, width, isVerbose: verbose }))
  }
  // Last: what was learned of a thousand servers is not lost with the page.
  if (html !== undefined) {
    const { formatPage } = await import('../report/page/page.ts')
    await writePage(resolve(io.workingDirectory, html), formatPage(report), '--html')
  }
}

const narrowest = 66
const widest = 100
