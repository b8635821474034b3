/**
 * The types of single values: texts, words, flags, counts, sizes, durations, paths.
 */
import { findNearest } from './suggestion.ts'
import { createType, Mistake, type Type } from './type.ts'
import { quote, type Value } from './value.ts'

/** A text that says something. */
export const text: Type<string> = createType('text', 'a text', (value) => readText(value))

/** A file or directory; relative to the working directory, as in nats-server. */
export const path: Type<string> = createType('path', 'a path', (value) => {
  const read = readText(value)
  if (read instanceof Mistake || !read.includes('\n')) return read
  return new Mistake('a path on several lines', 'write one path')
})

/** true or false, in any of the format's words. */
export const flag: Type<boolean> = createType('boolean', 'true or false', (value) => {
  if (value.kind === 'boolean') return value.value
  const hint =
    value.kind === 'string' && value.style !== 'bare'
      ? 'write it without quotes: true, yes, on, false, no or off'
      : 'write true, yes, on, false, no or off'
  return new Mistake('neither true nor false', hint)
})

/** One of a few words, in upper or lower case. */
export function oneOf<const T extends string>(...words: readonly T[]): Type<T> {
  const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return createType(words.map((word) => `\`${word}\``).join(', '), list, (value) => {
    if (value.kind === 'string') {
      const word = words.find((each) => each === value.value.toLowerCase())
      if (word !== undefined) return word
      const near = findNearest(value.value.toLowerCase(), words)
      return new Mistake(
        `${quote(value.value)} is none of its values`,
        near === undefined ? `write ${list}` : `did you mean ${near}?`,
      )
    }
    if (value.kind === 'boolean' && !value.value && words.includes('never' as T)) {
      return new Mistake(`${value.source} is read as a boolean`, 'write never')
    }
    return new Mistake('not one of its values', `write ${list}`)
  })
}

/** A whole number within bounds. */
export function count(least: number, most: number): Type<number> {
  return createType('integer', `a whole number from ${least} to ${most}`, (value) => readWhole(value, least, most))
}

/** A number of bytes, such as 16000 or 64kb. */
export function size(least: number, most: number): Type<number> {
  return createType('size', `a number of bytes from ${least} to ${most}, such as 16000 or 64kb`, (value) =>
    readWhole(value, least, most),
  )
}

export interface DurationOptions {
  /** Milliseconds. */
  readonly least: number
  readonly most: number
  /** A number without a unit counts seconds, as in nats-server's own keys. */
  readonly isSecondsAllowed?: boolean
}

/** A duration, in milliseconds: `"1h30m"`, or without quotes where the format lets it stand. */
export function duration({ least, most, isSecondsAllowed = false }: DurationOptions): Type<number> {
  const bounds = `from ${formatDuration(least)} to ${formatDuration(most)}`
  const expected = `a duration ${bounds}, such as "5s", "1h30m" or "500ms"${isSecondsAllowed ? ', or a number of seconds' : ''}`
  return createType(isSecondsAllowed ? 'duration, or seconds' : 'duration', expected, (value) =>
    readDuration(value, { least, most, isSecondsAllowed }),
  )
}

/** Reads a duration in milliseconds, for types that take other values beside one. */
export function readDuration(
  value: Value,
  { least, most, isSecondsAllowed = false }: DurationOptions,
): number | Mistake {
  const milliseconds = readMilliseconds(value, isSecondsAllowed)
  if (milliseconds instanceof Mistake) return milliseconds
  if (milliseconds < least) return new Mistake('too short', `the least is ${formatDuration(least)}`)
  if (milliseconds > most) return new Mistake('too long', `the most is ${formatDuration(most)}`)
  return milliseconds
}

/** In the largest units that leave no rest: 5400000 is `1h30m`. */
function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s'
  let rest = milliseconds
  let written = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const times = Math.floor(rest / unitMs[unit])
    if (times > 0) written += `${times}${unit}`
    rest -= times * unitMs[unit]
  }
  return written
}

function readText(value: Value): string | Mistake {
  if (value.kind === 'string') {
    return value.value.trim() === '' ? new Mistake('empty', 'write a value, or leave the key out') : value.value
  }
  const isSingle = value.kind !== 'list' && value.kind !== 'map'
  return new Mistake('not a text', isSingle ? `put quotes around it: ${quote(value.source)}` : 'write one text')
}

function readWhole(value: Value, least: number, most: number): number | Mistake {
  if (value.kind === 'string' && /^-?\d+[a-z]*$/i.test(value.value)) {
    return new Mistake('a text, not a number', 'write it without quotes')
  }
  if (value.kind !== 'integer') return new Mistake('not a whole number', 'write digits, without quotes')
  if (value.value < BigInt(least)) return new Mistake('too small', `the least is ${least}`)
  if (value.value > BigInt(most)) return new Mistake('too large', `the most is ${most}`)
  return Number(value.value)
}

function readMilliseconds(value: Value, isSecondsAllowed: boolean): number | Mistake {
  if (value.kind === 'string') return parseDuration(value.value)
  // The format makes a bare 5m the number 5,000,000; its source text says what was meant.
  if (value.kind === 'integer' && /^\d+m$/.test(value.source)) return parseDuration(value.source)
  if (value.kind === 'integer' || value.kind === 'float') {
    const isPlain = /^-?[\d.]+$/.test(value.source)
    if (isPlain && isSecondsAllowed) {
      return value.value < 0
        ? new Mistake('negative', 'write a duration of zero or more')
        : Math.round(Number(value.value) * 1000)
    }
    if (isPlain) return new Mistake('a number without a unit', `write "${value.source}s" if seconds were meant`)
  }
  return new Mistake('not a duration', units)
}

/** Reads a duration as it is written, in milliseconds. */
export function parseDuration(written: string): number | Mistake {
  if (written === '0') return 0
  if (/^-/.test(written)) return new Mistake('negative', 'write a duration of zero or more')
  if (/^\d+(\.\d+)?$/.test(written)) {
    return new Mistake('a number without a unit', `write "${written}s" if seconds were meant`)
  }
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d))+$/.test(written))
    return new Mistake(`${quote(written)} is not a duration`, units)
  let total = 0
  for (const [, amount, unit] of written.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
  }
  // Never to zero: an unit too fine for this clock is not "off".
  return total > 0 ? Math.max(1, Math.round(total)) : 0
}

const units = 'write a number and its unit: ms, s, m, h or d, as in "30s" or "1h30m"'

const unitMs = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
} as const
