/**
 * The OCSP request in the path of a GET, as clients really write it: percent-encoded or not, with `+` turned into spaces,
 * after one slash or several, padded or not.
 *
 * @see RFC 6960 appendix A.1, RFC 9919 §5
 */

/** The longest path looked at; a request with many certIDs belongs into a POST. */
const longestPath = 10_240

/**
 * Decodes the DER out of a request target.
 *
 * @param mount - the path that the responder's URL has
 * @returns undefined when there is no base64
 */
export function decodeRequestPath(target: string, mount: string): Uint8Array | undefined {
  if (target.length > longestPath) return undefined
  let path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '')
  const prefix = mount.replace(/^\/+|\/+$/g, '')
  path = path.replace(/^\/+/, '')
  if (prefix !== '' && path.startsWith(prefix)) path = path.slice(prefix.length)
  // DER begins with 30, so base64 begins with M: slashes before it are never part of it
  path = decodePercent(path.replace(/^\/+/, ''))?.replace(/^\/+/, '') ?? ''
  const base64 = path.replaceAll(' ', '+').replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (base64 === '' || !/^[A-Za-z0-9+/]+$/.test(base64)) return undefined
  const der = Buffer.from(base64, 'base64')
  return new Uint8Array(der.buffer, der.byteOffset, der.length)
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
