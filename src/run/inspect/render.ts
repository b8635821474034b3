/** Fields as text: names in one column, values in another, long ones over several lines. */

import { escapeUnprintable } from '../../pki/der/text.ts'
import type { Style } from '../journal/style.ts'
import type { Field, Tone } from './field.ts'

/** Formats fields, each line indented by `indent`. */
export function renderFields(fields: readonly Field[], style: Style, indent = 2): string[] {
  const rows = layOut(fields, indent)
  const column = Math.min(widestName, Math.max(0, ...rows.map(({ name, lines }) => (lines ? name.length : 0)))) + 2
  return rows.flatMap(({ name, lines, tone }) => {
    if (lines === undefined) return [style.dim(name)]
    const width = Math.max(leastWidth, pageWidth - column)
    const wrapped = lines.flatMap((line) => wrap(escapeUnprintable(line), width))
    const [first = '', ...rest] = wrapped.map((line) => paint(line, tone, style))
    return [`${style.dim(name.padEnd(column))}${first}`, ...rest.map((line) => `${' '.repeat(column)}${line}`)]
  })
}

/** Cuts a text into lines, at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > width / 3 ? space : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

/** One line to be: its name with its indent, and its value. */
interface Row {
  readonly name: string
  readonly lines?: readonly string[]
  readonly tone?: Tone | undefined
}

function layOut(fields: readonly Field[], indent: number): Row[] {
  const space = ' '.repeat(indent)
  return fields.flatMap(({ name, text, fields: parts, items, tone }): Row[] => {
    const shown = typeof text === 'string' ? [text] : text
    const own: Row[] = shown === undefined && items !== undefined ? [] : [row(`${space}${name}`, shown, tone)]
    const below = items?.flatMap((item, index) => [
      row(`${space}${name}[${index}]`, undefined, tone),
      ...layOut(item, indent + 2),
    ])
    return [...own, ...layOut(parts ?? [], indent + 2), ...(below ?? [])]
  })
}

function row(name: string, lines: readonly string[] | undefined, tone: Tone | undefined): Row {
  return lines === undefined ? { name, tone } : { name, lines, tone }
}

function paint(text: string, tone: Tone | undefined, style: Style): string {
  return tone === undefined ? text : style[tone](text)
}

const pageWidth = 104
/** Of a value, where its name is long. */
const leastWidth = 60
/** Of a name with its indent; a longer one pushes its value to the right. */
const widestName = 34
