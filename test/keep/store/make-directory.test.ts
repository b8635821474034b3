import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileStore } from '../../../src/keep/store/index.ts'
import { makeDirectory } from '../../../src/keep/store/make-directory.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const posix = process.platform !== 'win32'

test('makes what is missing, for its owner alone', () => {
  const path = join(temporaryDirectory('made'), 'a', 'b', 'c')
  makeDirectory(path)
  expect(statSync(path).isDirectory()).toBe(true)
  if (posix) expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('takes one that is there as it is', () => {
  const path = temporaryDirectory('made')
  const { mode } = statSync(path)
  makeDirectory(path)
  expect(statSync(path).mode).toBe(mode)
})

test('fails below a file', () => {
  const file = join(temporaryDirectory('made'), 'file')
  writeFileSync(file, '')
  expect(() => makeDirectory(join(file, 'a'))).toThrowError(/ENOTDIR|ENOENT/)
})

test.skipIf(!existsSync('/proc/self'))('comes to an end where nothing can be made', async () => {
  expect(() => makeDirectory('/proc/nothing/ocsp')).toThrowError(/ENOENT/)
  const store = fileStore({ directory: '/proc/nothing' })
  store.watch?.(() => {})
  const key = '0'.repeat(64)
  expect(await store.load(key)).toBeUndefined()
  await expect(store.save(key, new Uint8Array(1))).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
  await store.close()
})
