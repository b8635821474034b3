/** How an OCSP request becomes a URL, and when it may: RFC 9919 §5 and RFC 6960 appendix A.1. Pure. */

import type { Place } from './place.ts'

/** Above it caches and servers may refuse, so POST is used. @see RFC 9919 §5 */
const longestURL = 255

/**
 * The path of a GET: percent-encoded standard base64 after the responder's own path and exactly one slash.
 *
 * A query or fragment that the responder's URL has would end up before the request, so such a URL has no GET form.
 *
 * @returns undefined when there is none
 */
export function createRequestPath(place: Place, request: Uint8Array): string | undefined {
  if (place.url.search !== '' || place.url.hash !== '') return undefined
  return pathBelow(place.url.pathname, request)
}

/** For who insists on GET: the query goes last. */
export function createRequestPathBeforeQuery(place: Place, request: Uint8Array): string {
  return pathBelow(place.url.pathname, request) + place.url.search
}

/** Whether the whole URL is short enough for GET. */
export function isShort(place: Place, path: string): boolean {
  return place.origin.length + path.length <= longestURL
}

function pathBelow(pathname: string, request: Uint8Array): string {
  const base64 = Buffer.from(request.buffer, request.byteOffset, request.length).toString('base64')
  let end = pathname.length
  while (end > 0 && pathname.charCodeAt(end - 1) === 0x2f) end--
  return `${pathname.slice(0, end)}/${encodeURIComponent(base64)}`
}
