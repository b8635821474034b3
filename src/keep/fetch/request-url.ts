/** How an OCSP request becomes a URL, and when it may: RFC 9919 §5 and RFC 6960 appendix A.1. Pure. */

/** Above it caches and servers may refuse, so POST is used. @see RFC 9919 §5 */
export const longestURL = 255

/**
 * Appends the request to the responder's URL: percent-encoded standard base64, after exactly one slash.
 *
 * A query or fragment that the responder's URL has would end up before the path, so such a URL has no GET form.
 *
 * @returns undefined when there is none
 */
export function createRequestURL(responderURL: URL, request: Uint8Array): URL | undefined {
  if (responderURL.search !== '' || responderURL.hash !== '') return undefined
  const base = responderURL.href.replace(/\/+$/, '')
  const encoded = encodeURIComponent(Buffer.from(request.buffer, request.byteOffset, request.length).toString('base64'))
  return new URL(`${base}/${encoded}`)
}

/** Whether the whole URL is short enough for GET. */
export function isShort(url: URL): boolean {
  return url.href.length <= longestURL
}
