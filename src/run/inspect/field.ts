/**
 * What is shown of a structure: fields by their names in the RFC, once for people and once for programs.
 *
 * Both come from the same tree, so that text and JSON cannot disagree.
 */
import { formatHex, formatHexBriefly } from '../../pki/der/bytes.ts'
import { formatTime } from '../../pki/der/time.ts'
import { formatMoment, formatSpan } from '../journal/span.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export interface Field {
  readonly name: string
  /** What a person reads; several are lines. Absent: a heading over `fields` or `items`. */
  readonly text?: string | readonly string[]
  /** What a program reads; default the text. */
  readonly json?: Json
  /** The parts of a structure. */
  readonly fields?: readonly Field[]
  /** The elements of a list, each a structure. */
  readonly items?: readonly (readonly Field[])[]
  readonly tone?: Tone
}

export type Tone = 'good' | 'warn' | 'bad' | 'dim'

/** A text, a number, a flag. */
export function plain(name: string, text: string, json: Json = text, tone?: Tone): Field {
  return { name, text, json, ...(tone === undefined ? {} : { tone }) }
}

/** A moment and how far it is from `at`; nothing where there is none. JSON: ISO 8601. */
export function moment(name: string, time: Date | undefined, at: Date): Field[] {
  if (time === undefined) return []
  const ms = time.getTime() - at.getTime()
  const distance = ms >= 0 ? `in ${formatSpan(ms)}` : `${formatSpan(-ms)} ago`
  return [{ name, text: `${formatMoment(time)} (${distance})`, json: formatTime(time) }]
}

/** A nextUpdate, and a word where there is none, since much follows from that. JSON: null. */
export function nextMoment(time: Date | undefined, at: Date): Field[] {
  return time === undefined ? [plain('nextUpdate', 'absent', null, 'warn')] : moment('nextUpdate', time, at)
}

/** Octets as hex, cut for people where they are long. JSON: all of them, as hex. */
export function octets(name: string, bytes: Uint8Array | undefined): Field[] {
  if (bytes === undefined) return []
  return [{ name, text: formatHexBriefly(bytes), json: formatHex(bytes) }]
}

/** A whole number as hex, two digits an octet: serial numbers. */
export function number(name: string, value: bigint): Field {
  const digits = (value < 0n ? -value : value).toString(16)
  return plain(name, `${value < 0n ? '-' : ''}${digits.length % 2 === 1 ? '0' : ''}${digits}`)
}

export function group(name: string, fields: readonly Field[]): Field[] {
  return fields.length === 0 ? [] : [{ name, fields }]
}

export function list(name: string, items: readonly (readonly Field[])[]): Field[] {
  return items.length === 0 ? [] : [{ name, items }]
}

/** The fields as an object. */
export function toJson(fields: readonly Field[]): { readonly [name: string]: Json } {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]))
}

function valueOf({ text, json, fields, items }: Field): Json {
  if (json !== undefined) return json
  if (fields !== undefined) return toJson(fields)
  if (items !== undefined) return items.map(toJson)
  return text ?? ''
}
