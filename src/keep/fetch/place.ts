/**
 * Where a request goes, taken apart once: URLs are costly to read, and a fetcher asks the same few responders.
 *
 * Only http and https are places; credentials in a URL are used, and never shown.
 */

import { isIP } from 'node:net'

export interface Place {
  readonly url: URL
  readonly isSecure: boolean
  /** With the port where it is not the default: the Host header. */
  readonly host: string
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string
  readonly isAddress: boolean
  readonly port: number
  readonly origin: string
  /** With the query. */
  readonly path: string
  readonly authorization: string | undefined
  /** The whole URL as it may be shown. */
  readonly label: string
}

/** @returns undefined when the text is no http or https URL */
export function readPlace(text: string, base?: URL): Place | undefined {
  let url: URL
  try {
    url = new URL(text, base)
  } catch {
    return undefined
  }
  const isSecure = url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'http:') return undefined
  const authorization = basicAuthorization(url.username, url.password)
  url.username = ''
  url.password = ''
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  return {
    url,
    isSecure,
    host: url.host,
    hostname,
    isAddress: isIP(hostname) !== 0,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    authorization,
    label: url.href,
  }
}

/** The header's value for credentials as a URL has them, percent-encoded. */
function basicAuthorization(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined
  const credentials = `${decode(username)}:${decode(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export type FindPlace = (text: string) => Place | undefined

const mostPlaces = 1024

/** Reads places, and remembers them. */
export function createPlaceFinder(): FindPlace {
  const known = new Map<string, Place | undefined>()
  return (text) => {
    if (known.has(text)) return known.get(text)
    const place = readPlace(text)
    // all of them at once: with so many, remembering does not pay anyway
    if (known.size >= mostPlaces) known.clear()
    known.set(text, place)
    return place
  }
}
