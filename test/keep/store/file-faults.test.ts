/**
 * What ends a save half-way: kill -9 at random moments, a full disk, a limit on file sizes. Real processes, a real tmpfs.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileStore } from '../../../src/keep/store/index.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { keyA, keyB } from '../../kit/store-contract.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const kills = 120
const lanes = 4
let bundle: string

beforeAll(async () => {
  const directory = temporaryDirectory('saver')
  bundle = join(directory, 'saver.mjs')
  const source = `
    import { createHash } from 'node:crypto'
    import { writeSync } from 'node:fs'
    import { fileStore } from ${JSON.stringify(resolve('src/keep/store/file.ts'))}
    const [directory, key, first, count] = process.argv.slice(2)
    const store = fileStore({ directory })
    for (let version = Number(first); version < Number(first) + Number(count); version++) {
      const rest = Buffer.alloc(4 + (version * 977) % 9000, version % 251)
      rest.writeUInt32BE(version)
      const staple = Buffer.concat([createHash('sha256').update(rest).digest(), rest])
      await store.save(key, staple).then(() => writeSync(1, version + '\\n'), (error) => writeSync(1, error.code + '\\n'))
    }
  `
  const entry = join(directory, 'saver-source.mjs')
  await writeFile(entry, source)
  buildSync({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile: bundle })
})

/** The version of a staple that the saver wrote; throws when one octet of it is not as it was written. */
function versionOf(staple: Uint8Array): number {
  const rest = staple.subarray(32)
  expect(Buffer.from(staple.subarray(0, 32)).toString('hex')).toBe(createHash('sha256').update(rest).digest('hex'))
  return Buffer.from(rest).readUInt32BE()
}

/** Lets a child save in a loop, kills it after `delayMs` from its first save, says which save it knew to be done. */
async function saveUntilKilled(directory: string, first: number, delayMs: number): Promise<number> {
  const child = spawn(process.execPath, [bundle, directory, keyA, String(first), '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endsWithTest(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), delayMs)
    output += chunk
  })
  await new Promise((ended) => child.on('close', ended))
  const done = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number)
  expect(done.every(Number.isInteger)).toBe(true)
  return done.at(-1) ?? 0
}

describe('kill -9 while saving', () => {
  test(`leaves a whole staple, and none older than was known to be saved, ${kills} times`, {
    timeout: 120_000,
  }, async () => {
    const lane = async () => {
      const directory = temporaryDirectory('killed')
      const store = fileStore({ directory })
      let version = 0
      for (let round = 0; round < kills / lanes; round++) {
        const known = await saveUntilKilled(directory, version + 1, Math.random() * 25)
        const loaded = await store.load(keyA)
        version = versionOf(loaded as Uint8Array)
        expect(version).toBeGreaterThanOrEqual(known)
        expect(version).toBeLessThanOrEqual(known + 1)
      }
      const names = await readdir(join(directory, 'ocsp'))
      expect(names.filter((name) => name !== keyA && !/^\.staplewright-[0-9a-f]{16}\.tmp$/.test(name))).toEqual([])
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  })
})

describe('a full disk', () => {
  test('refuses the save and keeps the staple before, until there is room', async ({ skip }) => {
    const directory = await mountSmall()
    if (directory === undefined) return skip('needs root on Linux, to mount a small tmpfs')
    const store = fileStore({ directory })
    endsWithTest(() => store.close())
    const before = Buffer.alloc(3_000, 1)
    await store.save(keyA, before)
    const filler = join(directory, 'filler')
    await writeFile(filler, Buffer.alloc(1 << 20)).catch((error) => expect(error.code).toBe('ENOSPC'))
    await expect(store.save(keyA, Buffer.alloc(9_000, 2))).rejects.toMatchObject({
      code: 'ERR_STORE_WRITE',
      cause: { code: 'ENOSPC' },
      detail: { certificateKey: keyA },
    })
    await expect(store.save(keyB, Buffer.alloc(9_000, 2))).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    expect(Buffer.compare((await store.load(keyA)) as Uint8Array, before)).toBe(0)
    expect(await store.load(keyB)).toBeUndefined()
    expect(await readdir(join(directory, 'ocsp'))).toEqual([keyA])
    await writeFile(filler, '')
    await store.save(keyA, Buffer.alloc(9_000, 2))
    expect((await store.load(keyA))?.length).toBe(9_000)
  })

  test.skipIf(process.platform === 'win32')('a limit on the size of files does the same, without root', async () => {
    const directory = temporaryDirectory('limited')
    const run = (first: number) =>
      execFileSync(
        'sh',
        ['-c', 'ulimit -f 4; exec "$0" "$@"', process.execPath, bundle, directory, keyA, `${first}`, '1'],
        {
          encoding: 'utf8',
        },
      ).trim()
    // 4 blocks of 512 octets: version 1 has 1,013 octets, version 5 has 4,921.
    expect(run(1)).toBe('1')
    expect(run(5)).toBe('ERR_STORE_WRITE')
    expect(versionOf(await readFile(join(directory, 'ocsp', keyA)))).toBe(1)
    expect(await readdir(join(directory, 'ocsp'))).toEqual([keyA])
  })
})

/** A file system of 64 KiB, where this process may mount one; in a directory that no sweep of temporary files trips over. */
async function mountSmall(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  const directory = await mkdtemp(join(tmpdir(), 'staplewright-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    await rmdir(directory)
    return undefined
  }
  endsWithTest(async () => {
    execFileSync('umount', ['-l', directory])
    await rmdir(directory)
  })
  return directory
}
