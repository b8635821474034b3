/**
 * One text of the NATS configuration format as a raw tree, or what is wrong with it and where.
 *
 * The grammar itself is in grammar.peggy. Here are the limits, the encoding, and words for what the parser expected.
 */
import type { ConfigProblem } from '../../errors.ts'
import { parse, type RawDocument, SyntaxError as UnexpectedText } from './grammar.js'
import { createProblem } from './problem.ts'
import { quote } from './value.ts'

/** A file larger than this is no configuration. */
export const maxFileBytes: number = 1024 * 1024
/** Maps and lists inside each other. */
export const maxDepth = 64

/** Decodes a file's bytes, which are UTF-8. */
export function decodeText(bytes: Uint8Array, file: string): string | ConfigProblem {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Decoding again, leniently, shows where: the first replacement character that was not written as such.
    const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    const before = lenient.slice(0, findDamage(lenient, bytes)).split('\n')
    return createProblem({ file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }, '', {
      summary: 'the file is not UTF-8',
      found: 'a byte that UTF-8 does not have here',
      expected: 'text in UTF-8',
      hint: 'save the file as UTF-8',
    })
  }
}

function findDamage(lenient: string, bytes: Uint8Array): number {
  const encoder = new TextEncoder()
  let at = lenient.indexOf('\uFFFD')
  while (at >= 0) {
    const offset = encoder.encode(lenient.slice(0, at)).length
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return at
    at = lenient.indexOf('\uFFFD', at + 1)
  }
  return 0
}

/** Parses one text; variables and includes in it are still names. */
export function parseText(text: string, file: string): RawDocument | ConfigProblem {
  const nul = text.indexOf('\0')
  if (nul >= 0) return describeNul(text.slice(0, nul).split('\n'), file)
  const open: number[] = []
  try {
    return parse(text, { maxDepth, open })
  } catch (error) {
    if (!(error instanceof UnexpectedText)) throw error
    return describeUnexpected(error, text, file, open)
  }
}

/** Tells what {@link parseText} and {@link decodeText} answer with when something is wrong. */
export function isProblem(answer: string | RawDocument | ConfigProblem): answer is ConfigProblem {
  return typeof answer === 'object' && 'summary' in answer
}

function describeNul(before: readonly string[], file: string): ConfigProblem {
  return createProblem({ file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }, '', {
    summary: 'the file holds a NUL byte',
    found: 'a NUL byte',
    expected: 'text',
    hint: 'is this a configuration file? Save it as UTF-8',
  })
}

function describeUnexpected(error: UnexpectedText, text: string, file: string, open: readonly number[]): ConfigProblem {
  const { line, column } = error.location.start
  const place = { file, line, column }
  const rest = (text.split(/\r\n|\n|\r/)[line - 1] ?? '').slice(column - 1).trimEnd()
  const found = rest === '' ? (isLastLine(text, line) ? 'the end of the file' : 'the end of the line') : quote(rest)
  if (error.expected === null) {
    return createProblem(place, '', { summary: error.message, found, expected: 'the NATS configuration format', hint })
  }
  const opened = open.at(-1)
  if (error.found === null && opened !== undefined) {
    return createProblem(place, '', {
      summary: `the file ends inside the map or list that begins in line ${opened}`,
      found,
      expected: "its closing '}' or ']'",
      hint: `close what line ${opened} opens`,
    })
  }
  const expected = describeExpected(error.expected)
  const before = text.slice(0, error.location.start.offset)
  return createProblem(place, '', { summary: `expected ${expected}`, found, expected, hint: advise(expected, before) })
}

function advise(expected: string, before: string): string {
  // The key of `tls{ cert_file: x }` is `tls{`, and its value `cert_file:`.
  const glued = /(?:^|[\s,;{])[A-Za-z_]+([{[])\s+\S*\s*$/.exec(before)?.[1]
  if (glued !== undefined) return `put a space between the key and its '${glued}'`
  if (!/end of the line|new line/.test(expected)) return hint
  return 'put quotes around text with spaces or special characters, or with a digit at its beginning'
}

function describeExpected(expected: NonNullable<UnexpectedText['expected']>): string {
  const words = expected.flatMap(({ type, description, text }) => {
    if (type === 'other') return description === 'a space' || description === 'a comment' ? [] : [description ?? '']
    return text === ']' || text === '}' ? [`'${text}'`] : []
  })
  return words.length > 0 ? [...new Set(words)].join(' or ') : 'the end of the file'
}

function isLastLine(text: string, line: number): boolean {
  return text.trimEnd().split('\n').length <= line
}

const hint = 'write keys and values as `key: value`, maps as `key { … }`, lists as `key: [ … ]`'
