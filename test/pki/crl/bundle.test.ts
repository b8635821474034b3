/** Decoding CRLs bundles for a browser as it is; the whole door reaches for nothing but node:crypto. */

import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { type BuildOptions, build } from 'esbuild'
import { expect, it } from 'vitest'
import { crlDraft, forgeCrl } from './forge.ts'

const source = fileURLToPath(new URL('../../../src/pki/crl/', import.meta.url))

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

it('the door for browsers decodes and looks up where there is no Node', async () => {
  const options: BuildOptions = { platform: 'browser', format: 'iife', globalName: 'staplewright' }
  const code = await bundle("export * from './browser.ts'", options)
  expect(code).not.toMatch(/node:|require\(/)
  // A realm with what browsers have, and nothing of Node's.
  const realm = createContext({ TextDecoder, TextEncoder })
  runInContext(code, realm)
  const script = `
    const bytes = Uint8Array.from('${Buffer.from(forgeCrl(crlDraft())).toString('hex')}'.match(/../g), pair => parseInt(pair, 16))
    const list = staplewright.decodeCertificateList(bytes)
    JSON.stringify([list.revokedCertificates.count, staplewright.findRevokedCertificate(list, 0x1002n).revocationReason])`
  expect(runInContext(script, realm)).toBe('[3,"keyCompromise"]')
})

it('the whole door reaches for node:crypto and nothing else', async () => {
  const code = await bundle("export * from './index.ts'", { platform: 'node', format: 'esm' })
  expect(code.match(/(?<=from ")[^"]+/g)).toEqual(['node:crypto'])
  expect(code).not.toMatch(/node:net|node:fs|Date\.now|new Date\(\)|Math\.random|setTimeout|process\./)
})

it('the door for browsers has everything of the whole door but what proves', async () => {
  const [browser, whole] = await Promise.all([
    import('../../../src/pki/crl/browser.ts'),
    import('../../../src/pki/crl/index.ts'),
  ])
  expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(browser)))
  const proving = Object.keys(whole).filter((key) => !(key in browser))
  expect(proving.sort()).toEqual(['diagnoseCrl', 'verifyCrl'])
})
