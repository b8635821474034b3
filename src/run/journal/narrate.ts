/**
 * The keeper's events as sentences: what the staple is, when it is asked again, what failed and what is done about it.
 *
 * A narrator remembers what it said, so that a responder that is down for a day makes one line, not a thousand: the
 * same failure is said again only when its cause changes, when it starts to hurt, or after a long silence.
 */
import { isStapleError, type StapleError } from '../../errors.ts'
import type { EntryStatus, KeeperEvent } from '../../keep/keeper/index.ts'
import type { Line } from './journal.ts'
import { formatDistance, formatMoment, formatNear, formatSpan } from './span.ts'

/** Turns one event into one line, or into nothing when it was said already. */
export type Narrate = (event: KeeperEvent) => Line | undefined

/** Creates a narrator with an empty memory. */
export function createNarrator(): Narrate {
  const failing = new Map<string, { cause: string; hurts: boolean; saidAt: number; since: Date }>()
  const served = new Map<string, string>()
  return (event) => {
    const fields = { event: event.type, ...flatten(event) }
    const line = (level: Line['level'], text: string): Line => ({
      level,
      ...('label' in event && event.label ? { subject: event.label } : {}),
      text,
      fields,
    })
    switch (event.type) {
      case 'loaded':
        return line('notice', `staple from the store: ${describeHeld(event.entry, event.at)}`)
      case 'refreshed': {
        const outage = failing.get(event.certificateKey)
        failing.delete(event.certificateKey)
        const held = describeHeld(event.entry, event.at)
        const seen = served.get(event.certificateKey)
        const now = identify(event.entry)
        served.set(event.certificateKey, now)
        if (outage) {
          const span = formatSpan(event.at.getTime() - outage.since.getTime())
          return line('notice', `the responder answers again after ${span}: ${held}`)
        }
        // The revocation itself is told in an event of its own.
        if (seen === now || event.entry.certStatus === 'revoked')
          return line('debug', `the responder gave the same answer again; ${describeNext(event.entry, event.at)}`)
        return line(event.entry.certStatus === 'good' ? 'notice' : 'warn', `${seen ? 'refreshed' : 'stapled'}: ${held}`)
      }
      case 'refresh-failed': {
        const cause = describeCause(event.error)
        const before = failing.get(event.certificateKey)
        const at = event.at.getTime()
        const hurts = event.entry.withdrawAt === undefined || event.entry.withdrawAt <= event.at
        const isNews = !before || before.cause !== cause || (hurts && !before.hurts) || at - before.saidAt >= silenceMs
        failing.set(event.certificateKey, {
          cause,
          hurts,
          saidAt: isNews ? at : before.saidAt,
          since: before?.since ?? event.at,
        })
        const text = `${cause}\n${describeConsequence(event.entry, event.at)}; ${describeNext(event.entry, event.at)}`
        return line(isNews ? (hurts ? 'error' : 'warn') : 'debug', text)
      }
      case 'recovered':
        // The answer itself is the news; it says after how long.
        return undefined
      case 'refused':
        // An older answer out of a cache or the store is everyday: what is held is better, and stays.
        return line(
          event.isRepeat || event.error.code === 'ERR_KEEPER_WORSE' ? 'debug' : 'warn',
          `an answer was not taken: ${event.error.message}`,
        )
      case 'revoked': {
        served.delete(event.certificateKey)
        const when = event.revocationTime ? ` since ${formatMoment(event.revocationTime)}` : ''
        const why = event.revocationReason ? ` (${event.revocationReason})` : ''
        return line(
          'error',
          `the CA says REVOKED${when}${why}\nreplace the certificate; ${describeNext(event.entry, event.at)}`,
        )
      }
      case 'unrevoked':
        served.set(event.certificateKey, identify(event.entry))
        return line('notice', `the CA lifted the revocation: ${describeHeld(event.entry, event.at)}`)
      case 'unknown':
        return line(
          'warn',
          `the responder does not know this certificate (certStatus unknown)\n${describeConsequence(event.entry, event.at)}; ${describeNext(event.entry, event.at)}`,
        )
      case 'stale':
        return line(
          'error',
          `staple withdrawn before its nextUpdate: ${describeConsequence(event.entry, event.at)}; ${describeNext(event.entry, event.at)}`,
        )
      case 'restored':
        return line('notice', `staple in place again: ${describeHeld(event.entry, event.at)}`)
      case 'save-failed':
        return line(
          'warn',
          `${event.error.message}\nthe staple is held in memory and served all the same; saved again with the next one`,
        )
      case 'save-recovered':
        return line('notice', 'the store takes staples again; this one is saved')
      case 'load-failed':
        return line('warn', `${event.error.message}\na new staple is fetched; nothing is lost`)
      case 'store-refused':
        return line('warn', `a stored staple was set aside: ${event.error.message}\na new one is fetched`)
      case 'unsupported':
        return line('info', `nothing to staple: ${event.reason}`)
      case 'issuer-fetched':
        return line('info', `issuer fetched from ${event.url} and proven`)
      case 'no-issuer':
        return line(
          'error',
          `${event.error.message}\nput the issuer into cert_file or ca_file; tried again with back-off`,
        )
      case 'clock-jumped':
        return line(
          'warn',
          `the clock moved by ${formatSpan(Math.abs(event.byMs))} ${event.byMs < 0 ? 'back' : 'forward'}; every staple was judged anew`,
        )
      case 'clock-suspect': {
        const side = event.skewMs > 0 ? 'behind' : 'ahead of'
        return line(
          'warn',
          `this machine's clock is ${formatSpan(Math.abs(event.skewMs))} ${side} that of ${event.responderURL}; ${suspects[event.suspect]}`,
        )
      }
      case 'warning':
        return line('warn', event.warning.message)
    }
  }
}

/** One sentence about the staple in hand. */
function describeHeld(entry: EntryStatus, at: Date): string {
  if (entry.effectiveNextUpdate === undefined) return 'no staple in hand'
  const signer = entry.signer ? `, signed by ${entry.signer}` : ''
  return `${entry.certStatus}${signer}, until ${formatDistance(entry.effectiveNextUpdate, at)}; ${describeNext(entry, at)}`
}

/** When the responder is asked again. */
function describeNext(entry: EntryStatus, at: Date): string {
  if (entry.refreshAt === undefined) return 'not asked again'
  const ms = entry.refreshAt.getTime() - at.getTime()
  return ms <= 0
    ? 'asked again now'
    : ms < 60_000
      ? `asked again in ${formatSpan(ms)}`
      : `asked again at ${formatNear(entry.refreshAt, at)}`
}

/** What clients see meanwhile. */
function describeConsequence(entry: EntryStatus, at: Date): string {
  if (entry.withdrawAt !== undefined && entry.withdrawAt > at) {
    return `the staple in hand (${entry.certStatus}) serves on until ${formatDistance(entry.withdrawAt, at)}`
  }
  return entry.mustStaple
    ? 'no staple to serve, and the certificate is Must-Staple: strict clients refuse it'
    : 'no staple to serve: clients see none'
}

/** Why a fetch failed, the responders' answers in one line each. */
function describeCause(error: StapleError): string {
  if (!isStapleError(error, 'ERR_FETCH_FAILED')) return error.message
  const causes = [...new Set(error.detail.causes.map((cause) => cause.message))]
  return causes.length > 0
    ? causes.slice(0, 4).join('\n') + (causes.length > 4 ? `\nand ${causes.length - 4} more` : '')
    : error.message
}

/** Tells one staple from the next. */
function identify({ certStatus, thisUpdate }: EntryStatus): string {
  return `${certStatus} ${thisUpdate?.toISOString()}`
}

const suspects = {
  'our-clock': 'several responders agree, so it is this machine: check NTP',
  responder: 'other responders agree with this machine, so it is the responder',
  unclear: 'one of the two is wrong: check NTP here first',
} as const

/** A lasting failure is said again after this long. */
const silenceMs = 3_600_000

function flatten(event: KeeperEvent): Record<string, unknown> {
  const flat: Record<string, unknown> = {}
  if ('certificateKey' in event) flat.certificateKey = event.certificateKey
  if ('error' in event) flat.code = event.error.code
  if ('entry' in event && event.entry) {
    const { stapleState, certStatus, thisUpdate, effectiveNextUpdate, refreshAt, withdrawAt } = event.entry
    Object.assign(flat, { stapleState, certStatus, thisUpdate, nextUpdate: effectiveNextUpdate, refreshAt, withdrawAt })
  }
  return flat
}
