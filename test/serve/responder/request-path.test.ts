import { expect, it } from 'vitest'
import { decodeRequestPath } from '../../../src/serve/responder/request-path.ts'

/** Its base64 is MDw+Pz4/+w== and has every character that clients write differently. */
const request = Uint8Array.of(0x30, 0x3c, 0x3e, 0x3f, 0x3e, 0x3f, 0xfb)

it.each([
  '/MDw%2BPz4%2F%2Bw%3D%3D',
  '/MDw%2bPz4%2f%2bw%3d%3d',
  '/MDw+Pz4/+w==',
  '//MDw+Pz4/+w==',
  '/%2FMDw+Pz4/+w==',
  '/MDw%20Pz4/%20w==',
  '/MDw+Pz4/+w',
  '/MDw-Pz4_-w',
  '/MDw+Pz4/+w==?x=1',
  'http://ocsp.test/MDw+Pz4/+w==',
  'MDw+Pz4/+w==',
])('reads the request in %s', (target) => {
  expect(decodeRequestPath(target, '/')).toEqual(request)
})

it.each([
  ['/ca/ocsp/MDw+Pz4/+w==', '/ca/ocsp'],
  ['/ca/ocsp//MDw+Pz4/+w==', '/ca/ocsp/'],
  ['//ca/ocsp/MDw+Pz4/+w==', 'ca/ocsp'],
])('reads the request in %s below %s', (target, mount) => {
  expect(decodeRequestPath(target, mount)).toEqual(request)
})

it.each(['/', '', '/favicon.ico', '/%', '/%zz', '/MDw!', `/${'M'.repeat(10_240)}`])('finds none in %s', (target) => {
  expect(decodeRequestPath(target, '/')).toBeUndefined()
})
