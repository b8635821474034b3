import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStore, type Store } from '../../../src/keep/store/index.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { describeStoreContract, keyA, keyB, plain } from '../../kit/store-contract.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const staple = Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x00)

describeStoreContract('fileStore', { lasts: true, watches: true }, () => {
  const directory = temporaryDirectory('store')
  return {
    store: fileStore({ directory }),
    reopen: () => fileStore({ directory }),
    putBehindItsBack: (certificateKey, bytes) => writeFile(join(directory, 'ocsp', certificateKey), bytes),
  }
})

function opened(options: { maxBytes?: number } = {}): { directory: string; place: string; store: Store } {
  const directory = temporaryDirectory('store')
  const store = fileStore({ directory, ...options })
  endsWithTest(() => store.close())
  return { directory, place: join(directory, 'ocsp'), store }
}

describe("the layout is nats-server's", () => {
  test('a staple is raw DER in ocsp/<certificateKey>, and nothing else is written', async () => {
    const { place, store } = opened()
    const key = createHash('sha256').update('a leaf').digest('hex')
    await store.save(key, staple)
    expect(await readdir(place)).toEqual([key])
    expect(new Uint8Array(await readFile(join(place, key)))).toEqual(staple)
  })

  test('the directory is 0700 and the file 0600, whatever the umask allows', async () => {
    const { place, store } = opened()
    const before = process.umask(0)
    try {
      await store.save(keyA, staple)
    } finally {
      process.umask(before)
    }
    expect([(await stat(place)).mode & 0o777, (await stat(join(place, keyA))).mode & 0o777]).toEqual([0o700, 0o600])
  })

  test('nothing is touched before something is saved', async () => {
    const { directory, store } = opened()
    await store.load(keyA)
    await store.loadNotes()
    expect(await readdir(directory)).toEqual([])
  })

  test('a refused staple is found by a person, as <name>.refused, and the next refusal replaces it', async () => {
    const { place, store } = opened()
    for (const content of ['first', 'second']) {
      await store.save(keyA, Buffer.from(content))
      await store.refuse(keyA, 'damaged')
    }
    expect(await readdir(place)).toEqual([`${keyA}.refused`])
    expect(await readFile(join(place, `${keyA}.refused`), 'utf8')).toBe('second')
  })
})

describe('files of others', () => {
  test('temporary files of nats-server, foreign names and our own young temporary files stay', async () => {
    const { place, store } = opened()
    await mkdir(place)
    const names = ['tmp-cert-status12345', 'README', '.staplewright-0123456789abcdef.tmp', `${keyB}.refused`]
    for (const name of names) await writeFile(join(place, name), 'x')
    const old = new Date(Date.now() - 7_200_000)
    for (const name of ['tmp-cert-status12345', 'README', `${keyB}.refused`]) await utimes(join(place, name), old, old)
    await store.save(keyA, staple)
    await store.close()
    expect((await readdir(place)).sort()).toEqual([...names, keyA].sort())
  })

  test('our own temporary files older than an hour are removed at the first save', async () => {
    const { place, store } = opened()
    await mkdir(place)
    const left = join(place, '.staplewright-0123456789abcdef.tmp')
    await writeFile(left, 'half a sta')
    const old = new Date(Date.now() - 3_660_000)
    await utimes(left, old, old)
    await store.save(keyA, staple)
    expect(await readdir(place)).toEqual([keyA])
  })
})

describe('an unreadable store says so', () => {
  const readFailure = { code: 'ERR_STORE_READ', detail: { certificateKey: keyA } }

  test('a directory where the staple should be', async () => {
    const { place, store } = opened()
    await mkdir(join(place, keyA), { recursive: true })
    await expect(store.load(keyA)).rejects.toMatchObject(readFailure)
    await expect(store.save(keyA, staple)).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
  })

  test.skipIf(process.platform === 'win32')('a pipe where the staple should be, without waiting for it', async () => {
    const { place, store } = opened()
    await mkdir(place)
    execFileSync('mkfifo', [join(place, keyA)])
    await expect(store.load(keyA)).rejects.toMatchObject(readFailure)
  })

  test('a file larger than the limit, which stays', async () => {
    const { place, store } = opened({ maxBytes: 1_000 })
    await mkdir(place)
    await writeFile(join(place, keyA), Buffer.alloc(1_001))
    await expect(store.load(keyA)).rejects.toMatchObject({
      ...readFailure,
      message: expect.stringContaining('at most 1000 bytes, found 1001'),
    })
    expect((await stat(join(place, keyA))).size).toBe(1_001)
  })

  test('a file of exactly the limit is read', async () => {
    const { store } = opened({ maxBytes: 1_000 })
    await store.save(keyA, Buffer.alloc(1_000, 1))
    expect((await store.load(keyA))?.length).toBe(1_000)
  })

  test('a directory replaced by a file, and it works again when that is put right', async () => {
    const { place, store } = opened()
    await store.save(keyA, staple)
    await rename(place, `${place}.away`)
    await writeFile(place, 'in the way')
    await expect(store.load(keyA)).rejects.toMatchObject(readFailure)
    await expect(store.save(keyA, staple)).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    await expect(store.saveNotes({})).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    await expect(store.refuse(keyA, 'x')).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    expect(await store.loadNotes()).toEqual({})
    expect(await readFile(place, 'utf8')).toBe('in the way')
    await rm(place)
    await store.save(keyA, staple)
    expect(plain(await store.load(keyA))).toEqual(staple)
  })

  test.skipIf(process.platform === 'win32')('a symbolic link that leads nowhere is an absent staple', async () => {
    const { place, store } = opened()
    await mkdir(place)
    await symlink(join(place, 'nowhere'), join(place, keyA))
    expect(await store.load(keyA)).toBeUndefined()
  })
})

describe('notes', () => {
  test.each(['', '{"half":', '[1]', '"text"', 'null', '\0\0\0'])('damaged notes are no notes: %j', async (content) => {
    const { place, store } = opened()
    await mkdir(place)
    await writeFile(join(place, 'staplewright.json'), content)
    expect(await store.loadNotes()).toEqual({})
  })
})

describe('the watch', () => {
  test('sees a staple that is renamed into place, as nats-server and mv do', async () => {
    const { place, store } = opened()
    const noticed = new Promise((resolve) => endsWithTest(store.watch?.(resolve) ?? (() => {})))
    await writeFile(join(place, 'tmp-cert-status1'), staple)
    await rename(join(place, 'tmp-cert-status1'), join(place, keyB))
    expect(await noticed).toBe(keyB)
  })

  test('is set again by the next save when the directory was replaced', async () => {
    const { place, store } = opened()
    const seen: string[] = []
    let noticed = () => {}
    endsWithTest(store.watch?.((key) => [seen.push(key), noticed()]) ?? (() => {}))
    await rm(place, { recursive: true })
    await store.save(keyA, staple)
    const noticing = new Promise<void>((resolve) => {
      noticed = resolve
    })
    await writeFile(join(place, keyB), staple)
    await noticing
    expect(new Set(seen)).toEqual(new Set([keyB]))
  })

  test('over a place that cannot be a directory watches nothing and throws nothing', async () => {
    const { place, store } = opened()
    await writeFile(place, 'in the way')
    const unwatch = store.watch?.(() => {})
    expect(unwatch).toBeTypeOf('function')
    unwatch?.()
  })
})

test.each([undefined, '', 7])('refuses %j for a directory with a TypeError that names the option', (directory) => {
  expect(() => fileStore({ directory: directory as string })).toThrow(/^directory: /)
})
