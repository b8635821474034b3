/** cache.json: nats-server's layout, and what is passed over in one. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { HeldResponse } from '../../../src/run/peers/answers.ts'
import { readCacheFile, writeCacheFile } from '../../../src/run/peers/cache-file.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let directory: string
beforeEach(() => {
  directory = temporaryDirectory('cache')
})

const key = 'e792ffbf2e1e5e89343a6dd1313c8e65333c1140fbd2555c8c587c5f1f0ec898'
const held: HeldResponse = {
  subject: 'CN=UserA1,O=Testnats',
  cachedAt: new Date('2026-01-01T00:00:00.500Z'),
  certStatus: 'revoked',
  usableUntil: new Date('2026-01-01T01:00:00Z'),
  der: Buffer.from('a response'),
}

test("is nats-server's: base64 of the SHA-256 as key, seconds in UTC, the response in an S2 stream", async () => {
  await writeCacheFile(directory, [[key, held]])
  const text = await readFile(join(directory, 'cache.json'), 'utf8')
  expect(text.split('\n').slice(0, 3)).toEqual([
    '{',
    ` "${Buffer.from(key, 'hex').toString('base64')}": {`,
    '  "subject": "CN=UserA1,O=Testnats",',
  ])
  const [entry] = Object.values(JSON.parse(text)) as Record<string, string>[]
  expect(entry).toMatchObject({
    cached_at: '2026-01-01T00:00:00Z',
    resp_status: 'revoked',
    resp_expires: '2026-01-01T01:00:00Z',
  })
  expect(
    Buffer.from(entry?.resp ?? '', 'base64')
      .subarray(0, 10)
      .toString('latin1'),
  ).toBe('\xff\x06\x00\x00S2sTwO')
})

test.each([0, 1, 2, 250])('is the JSON of a map, indented by one space, with %i entries', async (count) => {
  const keys = Array.from({ length: count }, (_, index) => index.toString(16).padStart(64, '0'))
  await writeCacheFile(
    directory,
    keys.map((each) => [each, { ...held, subject: `CN="${each}"\n` }] as const),
  )
  const text = await readFile(join(directory, 'cache.json'), 'utf8')
  expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 1)}\n`)
  expect((await readCacheFile(directory))?.entries.map(([each]) => each)).toEqual(keys)
})

test('is read back, into a directory that has to be made', async () => {
  const below = join(directory, 'a', 'b')
  await writeCacheFile(below, [[key, held]])
  const cachedAt = new Date('2026-01-01T00:00:00Z')
  expect(await readCacheFile(below)).toEqual({
    entries: [[key, { ...held, cachedAt, der: Buffer.from('a response') }]],
    compressed: 0,
    damaged: 0,
  })
})

test('that is not there is none', async () => {
  expect(await readCacheFile(directory)).toBeUndefined()
})

describe('what is passed over', () => {
  async function read(entries: object) {
    await writeFile(join(directory, 'cache.json'), JSON.stringify(entries))
    return await readCacheFile(directory)
  }
  const name = Buffer.from(key, 'hex').toString('base64')
  const good = {
    subject: '',
    cached_at: '2026-01-01T00:00:00Z',
    resp_status: 'good',
    resp_expires: '2026-01-01T01:00:00Z',
  }
  const head = Buffer.from('\xff\x06\x00\x00S2sTwO', 'latin1')
  const compressed = Buffer.concat([head, Buffer.from([0, 6, 0, 0, 1, 2, 3, 4, 5, 6])]).toString('base64')

  test('a response that nats-server has compressed, counted apart', async () => {
    expect(await read({ [name]: { ...good, resp: compressed } })).toEqual({ entries: [], compressed: 1, damaged: 0 })
  })

  test.each([
    ['no object', { [name]: 5 }],
    ['nothing', { [name]: null }],
    ['a key that is no SHA-256', { abc: { ...good, resp: '' } }],
    ['a status that there is not', { [name]: { ...good, resp_status: 'fine', resp: '' } }],
    ['a time that is none', { [name]: { ...good, resp_expires: 'soon', resp: '' } }],
    ['a response that is no stream', { [name]: { ...good, resp: 'AAAA' } }],
    ['no response', { [name]: good }],
  ])('%s', async (_, entries) => {
    expect(await read(entries)).toEqual({ entries: [], compressed: 0, damaged: 1 })
  })

  test.each(['', '{', '[]', '5', 'null'])('nothing of a file that is no map: %j', async (text) => {
    await writeFile(join(directory, 'cache.json'), text)
    await expect(readCacheFile(directory)).rejects.toThrow()
  })
})
