/**
 * Where the daemon says what happens: lines for a person, or JSON for a machine (pino, loaded only then).
 *
 * Callers hand over a level, a sentence and the fields behind it; the journal decides how it looks.
 */

import { printable } from '../../pki/der/text.ts'
import type { Style } from './style.ts'

export type Level = 'debug' | 'info' | 'notice' | 'warn' | 'error'

/** One thing worth saying. */
export interface Line {
  readonly level: Level
  /** What it is about: a certificate's label, `front`, `store`. */
  readonly subject?: string
  readonly text: string
  /** The same as named values, for JSON. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface Journal {
  say(line: Line): void
  /** Writes out what is buffered. */
  close(): void
}

export interface JournalOptions {
  readonly format: 'text' | 'json'
  readonly level: Level
  readonly stream: NodeJS.WritableStream
  readonly style: Style
  readonly now: () => Date
}

/** Opens a journal. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const isWanted = (level: Level) => order[level] >= order[options.level]
  return options.format === 'json' ? openJson(options, isWanted) : openText(options, isWanted)
}

function openText({ stream, style, now }: JournalOptions, isWanted: (level: Level) => boolean): Journal {
  return {
    say(line) {
      if (!isWanted(line.level)) return
      const hour = style.dim(now().toISOString().slice(11, 19))
      const subject = line.subject ? `${style.strong(printable(line.subject))}  ` : ''
      const [first = '', ...rest] = line.text.split('\n').map(printable)
      const indent = rest.map((text) => `\n           ${style.dim(text)}`).join('')
      stream.write(`${hour} ${paint(style, line.level)(marks[line.level])} ${subject}${first}${indent}\n`)
    },
    close() {},
  }
}

async function openJson({ stream, now }: JournalOptions, isWanted: (level: Level) => boolean): Promise<Journal> {
  const { pino } = await import('pino')
  const logger = pino(
    {
      base: null,
      level: 'debug',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${now().toISOString()}"`,
      messageKey: 'message',
    },
    stream,
  )
  return {
    say(line) {
      if (!isWanted(line.level)) return
      const level = line.level === 'notice' ? 'info' : line.level
      logger[level]({ ...(line.subject === undefined ? {} : { subject: line.subject }), ...line.fields }, line.text)
    },
    close() {
      logger.flush()
    },
  }
}

function paint(style: Style, level: Level): (text: string) => string {
  if (level === 'error') return style.bad
  if (level === 'warn') return style.warn
  if (level === 'notice') return style.good
  return style.dim
}

const order: Readonly<Record<Level, number>> = { debug: 0, info: 1, notice: 2, warn: 3, error: 4 }
const marks: Readonly<Record<Level, string>> = { debug: '·', info: '·', notice: '✓', warn: '!', error: '✗' }
