/** How a daemon is, in one word and the reasons for it: pure, so that a monitoring system's verdict is a table. */
import type { DaemonStatus, StapleStatus } from '../admin/index.ts'
import { formatDistance } from '../journal/span.ts'
import { CheckCode } from './check-code.ts'

export interface Verdict {
  readonly code: CheckCode
  /** The worst first; empty when all is well. */
  readonly because: readonly string[]
}

interface Finding {
  readonly code: CheckCode
  readonly text: string
}

/** Judges a status at a moment. */
export function judgeStatus(status: DaemonStatus, at: Date): Verdict {
  const ofDaemon = judgeDaemon(status)
  // Of a certificate that the daemon gives as a cause, nothing is said twice.
  const others = status.staples.filter(({ label }) => !status.causes.some((cause) => cause.startsWith(`${label}: `)))
  const findings = [...ofDaemon, ...others.flatMap((staple) => judgeStaple(staple, at))]
  findings.sort((a, b) => b.code - a.code)
  return { code: findings[0]?.code ?? CheckCode.ok, because: findings.map(({ text }) => text) }
}

function judgeDaemon({ phase, causes, workers, lastReload }: DaemonStatus): Finding[] {
  const serving = workers.filter(({ state }) => state === 'serving').length
  return [
    ...(phase === 'closed' ? [critical('the doors are closed')] : []),
    ...(phase === 'draining' ? [warning('the front is draining')] : []),
    ...(phase === 'draining' ? [] : causes.map(critical)),
    ...(phase === 'open' && workers.length > 0 && serving === 0 ? [critical('no worker is serving')] : []),
    ...(serving > 0 && serving < workers.length
      ? [warning(`${serving} of ${workers.length} workers are serving`)]
      : []),
    ...(lastReload?.isDone === false ? [warning(`the last reload was refused: ${lastReload.message}`)] : []),
  ]
}

function judgeStaple(staple: StapleStatus, at: Date): Finding[] {
  const { label, stapleState, isRequired, lastError, waiting } = staple
  // Behind the gate nobody is shown it: what it lacks is why it waits.
  if (waiting !== undefined) return [warning(`the new certificate of ${label} waits: ${waiting.cause}`)]
  const why = lastError === undefined ? '' : `: ${lastError.message.split('\n')[0]}`
  const findings: Finding[] = []
  if (staple.notAfter.getTime() <= at.getTime()) findings.push(critical(`${label} is expired`))
  if (stapleState === 'revoked') findings.push(critical(`${label} is revoked`))
  else if (stapleState === 'missing' || stapleState === 'stale') {
    const text = `${label} has no staple${stapleState === 'stale' ? ': the one held is stale' : ''}${why}`
    findings.push(isRequired ? critical(text) : warning(text))
  } else if (stapleState === 'unknown') {
    const text = `the responder does not know ${label}`
    findings.push(isRequired ? critical(text) : warning(text))
  } else if (staple.failures > 0) {
    const until = staple.withdrawAt ? `; the one held is served until ${formatDistance(staple.withdrawAt, at)}` : ''
    findings.push(warning(`a newer staple for ${label} did not come${why}${until}`))
  }
  if (staple.isUnsaved) findings.push(warning(`the staple of ${label} is not in the store`))
  return findings
}

function critical(text: string): Finding {
  return { code: CheckCode.critical, text }
}

function warning(text: string): Finding {
  return { code: CheckCode.warning, text }
}
