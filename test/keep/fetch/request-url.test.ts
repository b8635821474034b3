import { expect, it } from 'vitest'
import { createRequestURL, isShort } from '../../../src/keep/fetch/request-url.ts'

/** Its base64 is ++//+w==, with every character that needs care. */
const request = Uint8Array.of(0xfb, 0xef, 0xff, 0xfb)

it.each([
  ['http://ocsp.test', 'http://ocsp.test/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test/', 'http://ocsp.test/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test//', 'http://ocsp.test/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test:8080/a/b', 'http://ocsp.test:8080/a/b/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test/a/b/', 'http://ocsp.test/a/b/%2B%2B%2F%2F%2Bw%3D%3D'],
])('appends a request to %s percent-encoded, after one slash', (responderURL, expected) => {
  expect(createRequestURL(new URL(responderURL), request)?.href).toBe(expected)
})

it.each(['http://ocsp.test/?ca=1', 'http://ocsp.test/#x'])('has no GET form for %s', (responderURL) => {
  expect(createRequestURL(new URL(responderURL), request)).toBeUndefined()
})

it('counts the whole URL against 255 bytes', () => {
  const prefix = 'http://ocsp.test/'
  expect(isShort(new URL(prefix + 'x'.repeat(255 - prefix.length)))).toBe(true)
  expect(isShort(new URL(prefix + 'x'.repeat(256 - prefix.length)))).toBe(false)
})
