/** Decoding bundles for a browser as it is; the whole door reaches for nothing but node:crypto. */

import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { type BuildOptions, build } from 'esbuild'
import { expect, it } from 'vitest'
import { directDraft, forgeResponse, world } from '../forge.ts'

const source = fileURLToPath(new URL('../../../src/pki/ocsp/', import.meta.url))

/** Bundles a module that says this. */
async function bundle(contents: string, options: BuildOptions = {}): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: source, loader: 'ts' },
    bundle: true,
    write: false,
    logLevel: 'silent',
    ...options,
  })
  return result.outputFiles?.[0]?.text ?? ''
}

const decodeAll = "export { decodeOcspResponse, decodeOcspRequest, decodeCertificate } from './browser.ts'"

it.each([
  ['the door for browsers', decodeAll, []],
  [
    'the module itself',
    "export { decodeOcspResponse } from './response.ts'; export const decodeCertificate = undefined",
    [],
  ],
  // A bundler resolves every import before it drops the unused: node:crypto has to be called external, and is then gone.
  ['the whole door', "export { decodeOcspResponse, decodeCertificate } from './index.ts'", ['node:crypto']],
])('decoding, imported from %s, runs where there is no Node', async (_what, contents, external) => {
  const code = await bundle(contents, { platform: 'browser', format: 'iife', globalName: 'staplewright', external })
  expect(code).not.toMatch(/node:|require\(/)
  // A realm with what browsers have, and nothing of Node's.
  const realm = createContext({ TextDecoder, TextEncoder, atob })
  runInContext(code, realm)
  const hex = Buffer.from(forgeResponse({ ...directDraft(), certs: [world().issuer.der] })).toString('hex')
  const script = `
    const bytes = Uint8Array.from('${hex}'.match(/../g), pair => parseInt(pair, 16))
    const { responseStatus, basicResponse } = staplewright.decodeOcspResponse(bytes)
    JSON.stringify([responseStatus, basicResponse.responses[0].certStatus, basicResponse.certificates.length])`
  expect(runInContext(script, realm)).toBe('["successful","good",1]')
})

it('the whole door reaches for node:crypto and nothing else', async () => {
  const code = await bundle("export * from './index.ts'", { platform: 'node', format: 'esm' })
  expect(code.match(/(?<=from ")[^"]+/g)).toEqual(['node:crypto'])
  expect(code).not.toMatch(/node:net|node:fs|Date\.now|new Date\(\)|Math\.random|setTimeout|process\./)
})

it('the door for browsers has every decoder of the whole door', async () => {
  const [browser, whole] = await Promise.all([
    import('../../../src/pki/ocsp/browser.ts'),
    import('../../../src/pki/ocsp/index.ts'),
  ])
  expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(browser)))
  const pure = Object.keys(whole).filter((key) => /^(decode|parse|format)/.test(key))
  expect(Object.keys(browser)).toEqual(expect.arrayContaining(pure))
})
