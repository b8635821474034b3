/** Files that get another content are noticed, however they get it. Real files; the clock moves when told. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/run/config/index.ts'
import { createFileWatch } from '../../../src/run/daemon/watch.ts'
import { tracePath } from '../../../src/run/daemon/watch-path.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let directory: string
const at = (...names: string[]) => join(directory, ...names)

beforeEach(() => {
  directory = temporaryDirectory('watch')
})

/** Watches files as they are now, or as they were said to be. */
function follow(files: readonly string[], known: Readonly<Record<string, string>> = {}) {
  const clock = manualClock()
  const told: (readonly string[])[] = []
  const watch = createFileWatch({
    clock,
    differing: (found) => told.push(found),
    failed: (path) => expect.unreachable(path),
  })
  endsWithTest(watch.close)
  watch.follow(new Map(files.map((file) => [file, digestOf(Buffer.from(known[file] ?? readFileSync(file)))])))
  return {
    clock,
    watch,
    told,
    /** Moves the clock, as slowly as the kernel tells, until so much was told. */
    async hears(count: number, stepMs = 50) {
      await expect
        .poll(
          async () => {
            await clock.advance(stepMs)
            return told.length
          },
          { interval: 5, timeout: 10_000 },
        )
        .toBeGreaterThanOrEqual(count)
      return told
    },
    /** The watches are set when what is not as it was said to be has been told. */
    async isSet() {
      await expect.poll(() => told.length, { interval: 5 }).toBe(1)
      told.length = 0
    },
  }
}

/** A watch that stands: it has told of the one file that is not as it was said to be. */
async function watching(...files: string[]) {
  const probe = at('probe')
  writeFileSync(probe, 'is')
  const followed = follow([...files, probe], { [probe]: 'was' })
  await followed.isSet()
  writeFileSync(probe, 'was')
  await followed.hears(1)
  expect(followed.told.splice(0)).toEqual([[]])
  return followed
}

describe('a file is told of when', () => {
  test('another is renamed over it', async () => {
    writeFileSync(at('tls.crt'), 'one')
    const { hears } = await watching(at('tls.crt'))
    writeFileSync(at('new'), 'two')
    renameSync(at('new'), at('tls.crt'))
    expect(await hears(1)).toEqual([[at('tls.crt')]])
  })

  test('it is written in place', async () => {
    writeFileSync(at('tls.crt'), 'one')
    const { hears } = await watching(at('tls.crt'))
    writeFileSync(at('tls.crt'), 'two')
    expect(await hears(1)).toEqual([[at('tls.crt')]])
  })

  test('Kubernetes swaps the link ..data, which stands in no path', async () => {
    for (const [name, text] of [
      ['..2026_11_20', 'one'],
      ['..2026_11_21', 'two'],
    ] as const) {
      mkdirSync(at(name))
      writeFileSync(at(name, 'tls.crt'), `${text} crt`)
      writeFileSync(at(name, 'tls.key'), `${text} key`)
    }
    symlinkSync('..2026_11_20', at('..data'))
    symlinkSync('..data/tls.crt', at('tls.crt'))
    symlinkSync('..data/tls.key', at('tls.key'))
    const { hears } = await watching(at('tls.crt'), at('tls.key'))
    symlinkSync('..2026_11_21', at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    rmSync(at('..2026_11_20'), { recursive: true })
    expect(await hears(1)).toEqual([[at('tls.crt'), at('tls.key')]])
    // And the next time, in directories that were not there when the watch began.
    mkdirSync(at('..2026_11_22'))
    writeFileSync(at('..2026_11_22', 'tls.crt'), 'two crt')
    writeFileSync(at('..2026_11_22', 'tls.key'), 'three key')
    symlinkSync('..2026_11_22', at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    expect((await hears(2)).length).toBe(2)
  })

  test('a link leads elsewhere, as those of certbot in live/ to archive/', async () => {
    mkdirSync(at('archive'))
    mkdirSync(at('live'))
    writeFileSync(at('archive', 'cert1.pem'), 'one')
    writeFileSync(at('archive', 'cert2.pem'), 'two')
    symlinkSync('../archive/cert1.pem', at('live', 'cert.pem'))
    const { hears } = await watching(at('live', 'cert.pem'))
    rmSync(at('live', 'cert.pem'))
    symlinkSync('../archive/cert2.pem', at('live', 'cert.pem'))
    expect((await hears(1)).at(-1)).toEqual([at('live', 'cert.pem')])
  })

  test('what its link leads to is written', async () => {
    mkdirSync(at('elsewhere'))
    writeFileSync(at('elsewhere', 'real.pem'), 'one')
    symlinkSync(at('elsewhere', 'real.pem'), at('cert.pem'))
    const { hears } = await watching(at('cert.pem'))
    writeFileSync(at('elsewhere', 'real.pem'), 'two')
    expect(await hears(1)).toEqual([[at('cert.pem')]])
  })

  test('a directory above it is another', async () => {
    mkdirSync(at('a', 'b'), { recursive: true })
    writeFileSync(at('a', 'b', 'tls.crt'), 'one')
    mkdirSync(at('next', 'b'), { recursive: true })
    writeFileSync(at('next', 'b', 'tls.crt'), 'two')
    const { hears } = await watching(at('a', 'b', 'tls.crt'))
    renameSync(at('a'), at('last'))
    renameSync(at('next'), at('a'))
    expect((await hears(1)).at(-1)).toEqual([at('a', 'b', 'tls.crt')])
  })

  test('it held something else already when the watch began', async () => {
    writeFileSync(at('tls.crt'), 'two')
    const { told } = follow([at('tls.crt')], { [at('tls.crt')]: 'one' })
    await expect.poll(() => told).toEqual([[at('tls.crt')]])
  })
})

describe('a directory that vanishes', () => {
  test('is told of once, and once more when it is back as it was', async () => {
    mkdirSync(at('mount'))
    writeFileSync(at('mount', 'tls.crt'), 'one')
    const { hears } = await watching(at('mount', 'tls.crt'))
    renameSync(at('mount'), at('away'))
    expect(await hears(1)).toEqual([[at('mount', 'tls.crt')]])
    renameSync(at('away'), at('mount'))
    expect(await hears(2)).toEqual([[at('mount', 'tls.crt')], []])
  })

  test('is watched again when another has its place', async () => {
    mkdirSync(at('mount'))
    writeFileSync(at('mount', 'tls.crt'), 'one')
    const { hears, told } = await watching(at('mount', 'tls.crt'))
    rmSync(at('mount'), { recursive: true })
    await hears(1)
    mkdirSync(at('mount'))
    writeFileSync(at('mount', 'tls.crt'), 'one')
    await hears(2)
    expect(told.at(-1)).toEqual([])
    writeFileSync(at('mount', 'tls.crt'), 'two')
    expect((await hears(3)).at(-1)).toEqual([at('mount', 'tls.crt')])
  })
})

test('a write of the same bytes, a touch and a neighbour are no change', async () => {
  for (const name of ['a.pem', 'b.pem', 'neighbour']) writeFileSync(at(name), 'one')
  const { hears } = await watching(at('a.pem'), at('b.pem'))
  writeFileSync(at('a.pem'), 'one')
  execFileSync('touch', [at('a.pem')])
  writeFileSync(at('neighbour'), 'two')
  writeFileSync(at('copy'), 'one')
  renameSync(at('copy'), at('a.pem'))
  writeFileSync(at('b.pem'), 'two')
  expect(await hears(1)).toEqual([[at('b.pem')]])
})

test('several writes in a row are one change: it is looked when nothing has happened for 200 ms', async () => {
  writeFileSync(at('tls.crt'), 'one')
  const { told, clock, hears } = await watching(at('tls.crt'))
  for (let part = 0; part < 20; part++) {
    writeFileSync(at('tls.crt'), `part ${part}`)
    await clock.advance(5)
  }
  expect(told).toEqual([])
  expect(await hears(1)).toEqual([[at('tls.crt')]])
})

test('what no directory reports, as a write through another name, is found by the look once a minute', async () => {
  mkdirSync(at('other'))
  writeFileSync(at('tls.crt'), 'one')
  linkSync(at('tls.crt'), at('other', 'name'))
  const { told, clock } = await watching(at('tls.crt'))
  writeFileSync(at('other', 'name'), 'two')
  await clock.advance(50_000)
  expect(told).toEqual([])
  await clock.advance(10_000)
  await expect.poll(() => told).toEqual([[at('tls.crt')]])
})

test('a pipe is not read: that would take from somebody, or wait for ever', async () => {
  writeFileSync(at('tls.crt'), 'one')
  execFileSync('mkfifo', [at('pipe')])
  const { hears } = follow([at('pipe'), at('tls.crt')], { [at('pipe')]: 'read once', [at('tls.crt')]: 'another' })
  expect(await hears(1)).toEqual([[at('tls.crt')]])
})

test('other files are followed from now on; those of before are not', async () => {
  for (const name of ['a.pem', 'b.pem']) writeFileSync(at(name), 'one')
  const { watch, hears } = await watching(at('a.pem'))
  watch.follow(new Map([[at('b.pem'), digestOf(Buffer.from('other'))]]))
  expect(await hears(1)).toEqual([[at('b.pem')]])
  writeFileSync(at('a.pem'), 'two')
  writeFileSync(at('b.pem'), 'two')
  expect(await hears(2)).toEqual([[at('b.pem')], [at('b.pem')]])
})

test('nothing is left when it is closed', async () => {
  writeFileSync(at('tls.crt'), 'one')
  const { watch, clock, told } = await watching(at('tls.crt'))
  writeFileSync(at('tls.crt'), 'two')
  watch.close()
  await clock.advance(600_000)
  expect(clock.timers).toBe(0)
  expect(told).toEqual([])
})

describe('what a path depends on', () => {
  const trace = async (path: string) =>
    (await tracePath(path))
      .map((place) => join(place.directory, place.name).replace(directory, ''))
      .filter((path) => path.startsWith('/') && !directory.startsWith(path))

  test('is each name on its way, links followed', async () => {
    mkdirSync(at('..1'))
    writeFileSync(at('..1', 'tls.crt'), '')
    symlinkSync('..1', at('..data'))
    symlinkSync('..data/tls.crt', at('tls.crt'))
    expect(await trace(at('tls.crt'))).toEqual(['/tls.crt', '/..data', '/..1', '/..1/tls.crt'])
  })

  test('ends where something is missing', async () => {
    symlinkSync('nowhere/tls.crt', at('tls.crt'))
    expect(await trace(at('tls.crt'))).toEqual(['/tls.crt', '/nowhere'])
  })

  test('ends when links go in a circle', async () => {
    symlinkSync('b', at('a'))
    symlinkSync('a', at('b'))
    expect(new Set(await trace(at('a')))).toEqual(new Set(['/a', '/b']))
  })
})
