/**
 * One INFO line of a NATS server: read, and told on to a client as the front's own.
 *
 * The backend speaks of itself: whether it wants TLS, and where else its cluster can be reached. A client of the front
 * must hear that TLS is required, and no address that leads past the front. All else (the nonce that signatures need, the
 * client's number, fields of versions to come) goes on byte for byte, numbers of any size included.
 */
import { StapleError } from '../../../errors.ts'
import { quote } from './quote.ts'

/** What the front says of itself in the backend's words. */
export interface InfoRewriting {
  /** Clients must show a certificate. */
  readonly asksForCertificate: boolean
  /** `host:port`s that take the place of `connect_urls`; none: the field is removed. */
  readonly advertise: readonly string[]
}

/** A server's INFO. */
export interface ServerInfo {
  readonly isTlsRequired: boolean
  readonly isTlsAvailable: boolean
  /** Every field as it was written, in order. */
  readonly fields: readonly Field[]
}

interface Field {
  readonly name: string
  /** `"name":value`, one character a byte. */
  readonly text: string
}

/** An INFO line longer than this is refused; thousands of `connect_urls` fit in. */
export const longestInfoBytes = 1_048_576

/**
 * Parses a whole line, with or without its end.
 *
 * @param url - the backend's, for the message
 * @throws {@link StapleError} `ERR_NATS_PROTOCOL` when it is not INFO followed by a JSON object
 */
export function parseInfo(line: Buffer, url: string): ServerInfo {
  // One character a byte, so that what is not touched comes out as it went in, whatever its encoding.
  const json = /^INFO[ \t]*(\{[^]*\})[ \t\r\n]*$/i.exec(line.toString('latin1'))?.[1]
  const value = json === undefined ? undefined : parseJson(json)
  if (json === undefined || value === undefined) {
    throw new StapleError('ERR_NATS_PROTOCOL', `backend ${url} sent an INFO that is no JSON object: ${quote(line)}`, {
      backend: url,
      expected: 'INFO and a JSON object',
      found: quote(line),
    })
  }
  return {
    isTlsRequired: value.tls_required === true,
    isTlsAvailable: value.tls_available === true,
    fields: splitFields(json),
  }
}

/** Formats the line that a client of the front is sent. */
export function formatInfo({ fields }: ServerInfo, { asksForCertificate, advertise }: InfoRewriting): Buffer {
  const kept = fields.filter(({ name }) => !ownFields.has(name)).map(({ text }) => text)
  kept.push('"tls_required":true')
  if (asksForCertificate) kept.push('"tls_verify":true')
  if (advertise.length > 0) kept.push(`"connect_urls":${Buffer.from(JSON.stringify(advertise)).toString('latin1')}`)
  return Buffer.from(`INFO {${kept.join(',')}}\r\n`, 'latin1')
}

/** What the front says itself. Lower case: Go's clients read names in any case. */
const ownFields = new Set(['tls_required', 'tls_available', 'tls_verify', 'connect_urls', 'ws_connect_urls'])

function parseJson(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** Cuts an object that is known to be well-formed at its own commas. */
function splitFields(json: string): Field[] {
  const fields: Field[] = []
  let depth = 0
  let start = 1
  for (let index = 0; index < json.length; index++) {
    const character = json[index]
    if (character === '"') index = endOfString(json, index)
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth === 0 || (depth === 1 && character === ',')) {
      const text = json.slice(start, index).trim()
      if (text !== '') fields.push({ name: nameOf(text), text })
      start = index + 1
    }
  }
  return fields
}

function nameOf(field: string): string {
  return (JSON.parse(field.slice(0, endOfString(field, 0) + 1)) as string).toLowerCase()
}

/** Where the closing mark of a string is, whose opening one is at `start`. */
function endOfString(json: string, start: number): number {
  let index = start + 1
  while (json[index] !== '"') index += json[index] === '\\' ? 2 : 1
  return index
}
