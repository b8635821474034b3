/** Reloads by SIGHUP: what changes, what stays, and that a reload that fails changes nothing and says why. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { look, setStage } from './stage.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Certificate files of one place, renewed as certbot does it: written beside, then renamed over. */
async function place(leaf: Leaf) {
  const directory = temporaryDirectory('tls')
  const files = { ...leaf, certificateFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
  const put = async ({ chainPem, key }: Leaf) => {
    await writeFile(`${files.keyFile}.new`, key)
    await writeFile(`${files.certificateFile}.new`, chainPem)
    await rename(`${files.keyFile}.new`, files.keyFile)
    await rename(`${files.certificateFile}.new`, files.certificateFile)
  }
  await put(leaf)
  return { files, put }
}

test('SIGHUP after a renewal: the new certificate is shown, stapled', async () => {
  const stage = await setStage()
  const [first, second] = [await stage.issue(), await stage.issue()]
  const { files, put } = await place(first)
  const daemon = await stage.start(files)
  const port = await daemon.opened()
  expect(await look(port, first)).toBe('good')
  await put(second)
  daemon.refresh()
  await daemon.waitForLine(/^reloaded/)
  const outcome = await connectWithNode({ port, rootFile: first.rootFile })
  expect(outcome.certificate).toEqual(new Uint8Array(second.der))
  expect(outcome.staple?.present).toBe(true)
})

test('a renewal by rename is noticed: the new certificate is shown, stapled', async () => {
  const stage = await setStage()
  const [first, second] = [await stage.issue(), await stage.issue()]
  const { files, put } = await place(first)
  const daemon = await stage.start(files)
  const port = await daemon.opened()
  await put(second)
  await daemon.waitForLine(/^reloaded/)
  const outcome = await connectWithNode({ port, rootFile: first.rootFile })
  expect(outcome.certificate).toEqual(new Uint8Array(second.der))
  expect(outcome.staple?.present).toBe(true)
})
