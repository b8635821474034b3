import { expect, it } from 'vitest'
import { type Place, readPlace } from '../../../src/keep/fetch/place.ts'
import { createRequestPath, createRequestPathBeforeQuery, isShort } from '../../../src/keep/fetch/request-url.ts'

/** Its base64 is ++//+w==, with every character that needs care. */
const request = Uint8Array.of(0xfb, 0xef, 0xff, 0xfb)

const placeOf = (url: string) => readPlace(url) as Place

it.each([
  ['http://ocsp.test', '/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test/', '/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test//', '/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test:8080/a/b', '/a/b/%2B%2B%2F%2F%2Bw%3D%3D'],
  ['http://ocsp.test/a/b/', '/a/b/%2B%2B%2F%2F%2Bw%3D%3D'],
])('appends a request to %s percent-encoded, after one slash', (responderURL, expected) => {
  expect(createRequestPath(placeOf(responderURL), request)).toBe(expected)
})

it.each(['http://ocsp.test/?ca=1', 'http://ocsp.test/#x'])('has no GET form for %s', (responderURL) => {
  expect(createRequestPath(placeOf(responderURL), request)).toBeUndefined()
})

it('puts a query last where GET is insisted on', () => {
  const path = createRequestPathBeforeQuery(placeOf('http://ocsp.test/a?ca=1'), request)
  expect(path).toBe('/a/%2B%2B%2F%2F%2Bw%3D%3D?ca=1')
})

it('counts the whole URL against 255 bytes', () => {
  const place = placeOf('http://ocsp.test/')
  expect(isShort(place, `/${'x'.repeat(254 - place.origin.length)}`)).toBe(true)
  expect(isShort(place, `/${'x'.repeat(255 - place.origin.length)}`)).toBe(false)
})
