import { expect, it } from 'vitest'
import { hasSeparateContexts, requireOcspSupport } from '../../../src/serve/attach/platform.ts'

it.each([
  ['Node with OpenSSL', { versions: { node: '24.0.0' }, features: { tls_ocsp: true } }],
  ['a Node that says nothing of it', { versions: { node: '24.0.0' }, features: {} }],
])('%s can staple', (_what, runtime) => {
  expect(() => requireOcspSupport(runtime)).not.toThrow()
})

it.each([
  [
    'Bun, whose listeners are never called',
    { versions: { bun: '1.3.0', node: '24.0.0' }, features: { tls_ocsp: true } },
  ],
  ['a Node built without OCSP', { versions: { node: '26.0.0' }, features: { tls_ocsp: false } }],
])('%s is refused with a way out', (_what, runtime) => {
  expect(() => requireOcspSupport(runtime)).toThrow(expect.objectContaining({ code: 'ERR_ATTACH_UNSUPPORTED' }))
})

it.each([
  ['20.20.2', false],
  ['22.23.3', false],
  ['24.0.0', true],
  ['26.10.0', true],
])('Node %s keeps the certificates of contexts apart: %s', (node, expected) => {
  expect(hasSeparateContexts({ versions: { node } })).toBe(expected)
})
