/**
 * Renewals through the real program: files are replaced while it runs, and a client never meets a certificate without its
 * staple, nor the loss of one that had it.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import type { Leaf, LeafOptions } from '../kit/authority.ts'
import type { Behaviour } from '../kit/behaviour.ts'
import type { RunningDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { ask } from '../kit/http.ts'
import { endWithFile } from '../kit/lifetime.ts'
import { placeByLink, placeByRename, type RenewedFiles, reload, type Sight, see, sightOf } from './renewal.ts'
import { type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

endWithFile()

const ways = [
  ['by rename', placeByRename],
  ['by the links of Kubernetes', placeByLink],
] as const

interface Scene {
  readonly stage: Stage
  readonly first: Leaf
  readonly second: Leaf
  readonly placed: RenewedFiles
  readonly daemon: RunningDaemon
  look(): Promise<Sight>
  /** What is shown, until it is this; all that was seen on the way. */
  lookUntil(wanted: Sight): Promise<Sight[]>
  /** What the admin door says of the second certificate. */
  status(): Promise<{ stapleState: string; waiting?: { cause: string; deadline?: string } } | undefined>
  behave(behaviour: Behaviour, leaf: Leaf): Promise<void>
}

/** Starts with the first of two certificates, stapled. */
async function start(
  place: (first: Leaf) => Promise<RenewedFiles>,
  o: { ocsp?: string; lines?: readonly string[]; first?: LeafOptions; second?: LeafOptions } = {},
): Promise<Scene> {
  const stage = await setStage({ thisUpdateAgeMs: 60_000 })
  const http = await freePort()
  const first = await stage.issue(o.first)
  const second = await stage.issue(o.second)
  const placed = await place(first)
  const daemon = await stage.start(placed.files, o.ocsp, { lines: [`http_port: ${http}`, ...(o.lines ?? [])] })
  const target = { port: await daemon.opened(), rootFile: first.rootFile }
  const look = () => see(target)
  expect(await look()).toEqual(sightOf(first))
  return {
    stage,
    first,
    second,
    placed,
    daemon,
    look,
    async lookUntil(wanted) {
      const seen: Sight[] = []
      const deadline = performance.now() + 30_000
      for (;;) {
        const sight = await look()
        seen.push(sight)
        if (isDeepStrictEqual(sight, wanted)) return seen
        if (performance.now() > deadline) expect(sight).toEqual(wanted)
      }
    },
    async status() {
      const { staples } = JSON.parse((await ask(http, '/api/staples')).text)
      const serial = second.certificate.serialNumber.toString(16)
      return staples.find((each: { serialNumber: string }) => each.serialNumber === serial)
    },
    behave: (behaviour, leaf) => stage.responder.behave(behaviour, leaf.certificate.serialNumber),
  }
}

describe.concurrent.each(ways)('a renewal %s', (_, place) => {
  test('with the responder up: the new certificate comes with its staple, and nothing else is ever seen', async () => {
    const { first, second, placed, lookUntil } = await start(place)
    await placed.put(second)
    const seen = await lookUntil(sightOf(second))
    expect(new Set(seen.slice(0, -1).map((sight) => JSON.stringify(sight, hex)))).toEqual(
      new Set(seen.length > 1 ? [JSON.stringify(sightOf(first), hex)] : []),
    )
  })

  test('with the responder down: the old one stays, stapled; when it is back, the new one comes with its staple', async () => {
    const { first, second, placed, daemon, look, lookUntil, status, behave } = await start(place)
    await behave('httpError', second)
    await placed.put(second)
    await daemon.waitForLine(/^reloaded \(.*changed\)\n.*tls\.crt waits behind the old certificate: /)
    expect(await look()).toEqual(sightOf(first))
    const { waiting } = (await status()) ?? {}
    expect(waiting?.cause).toMatch(/500/)
    expect(new Date(waiting?.deadline ?? 0).getTime()).toBe(first.certificate.notAfter.getTime() - 600_000)
    await behave('good', second)
    const seen = await lookUntil(sightOf(second))
    expect(seen.slice(0, -1).every((sight) => sight.staple === 'good')).toBe(true)
    expect((await status())?.waiting).toBeUndefined()
    await daemon.waitForLine(/the new certificate is shown from now on$/)
  })
})

describe.concurrent('behind the gate', () => {
  test('one without Must-Staple waits for start_timeout, and then comes without its staple', async () => {
    const leafOptions = { mustStaple: false }
    const { first, second, placed, look, lookUntil, behave, daemon } = await start(placeByRename, {
      ocsp: '{ mode: always }',
      lines: ['start_timeout: "3s"'],
      first: leafOptions,
      second: leafOptions,
    })
    await behave('httpError', second)
    await placed.put(second)
    await daemon.waitForLine(/responder/)
    expect(await look()).toEqual(sightOf(first))
    await lookUntil(sightOf(second, 'none'))
    await behave('good', second)
    await lookUntil(sightOf(second))
  })

  test('one that turns out revoked is refused: mode must goes on with the old one', async () => {
    const { first, second, placed, daemon, look, status, behave } = await start(placeByRename, {
      ocsp: '{ mode: must }',
    })
    await behave('revoked', second)
    await placed.put(second)
    await daemon.waitForLine(/^reloaded \(.*changed\)\n.*tls\.crt waits behind the old certificate: it is revoked/)
    expect(await look()).toEqual(sightOf(first))
    expect((await status())?.waiting).toEqual({ cause: 'it is revoked' })
    // Nor does another reload, or a responder that says it again, end the program.
    daemon.refresh()
    await daemon.waitForLine(/^reloaded \(SIGHUP\)/)
    expect(await look()).toEqual(sightOf(first))
    expect(daemon.program.hasEnded).toBe(false)
  })

  test('one whose hold is lifted comes in', async () => {
    const { second, placed, daemon, lookUntil, behave } = await start(placeByRename)
    await behave('revoked', second)
    await placed.put(second)
    await daemon.waitForLine(/it is revoked/)
    // Newer than what said revoked, or it would not count.
    await behave({ kind: 'good', thisUpdateAgeMs: 0 }, second)
    daemon.refresh()
    await lookUntil(sightOf(second))
  })

  test('one with Must-Staple comes without its staple when the old one is within gate_margin of its end', async () => {
    const first = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) }
    const { second, placed, lookUntil, behave } = await start(placeByRename, {
      lines: ['gate_margin: "2h"'],
      first,
    })
    await behave('httpError', second)
    await placed.put(second)
    await lookUntil(sightOf(second, 'none'))
  })

  test('one comes without its staple when the old one is revoked meanwhile', async () => {
    const { first, second, placed, daemon, look, lookUntil, behave } = await start(placeByRename)
    await behave('httpError', second)
    await placed.put(second)
    await daemon.waitForLine(/waits behind the old certificate/)
    expect(await look()).toEqual(sightOf(first))
    await behave('revoked', first)
    daemon.refresh()
    await lookUntil(sightOf(second, 'none'))
  })

  test('mode never knows no gate', async () => {
    const stage = await setStage()
    const first = await stage.issue()
    const second = await stage.issue()
    await stage.responder.behave('refuse')
    const placed = await placeByRename(first)
    const daemon = await stage.start(placed.files, 'false')
    const target = { port: await daemon.opened(), rootFile: first.rootFile }
    await placed.put(second)
    await daemon.waitForLine(/^reloaded/)
    expect(await see(target)).toEqual(sightOf(second, 'none'))
  })

  test('a third certificate takes the place of the one that waits', async () => {
    const { stage, first, second, placed, daemon, look, lookUntil, behave } = await start(placeByRename)
    const third = await stage.issue()
    await behave('httpError', second)
    await placed.put(second)
    await daemon.waitForLine(/waits behind the old certificate/)
    expect(await look()).toEqual(sightOf(first))
    await placed.put(third)
    await lookUntil(sightOf(third))
  })
})

describe.concurrent('in the long run', () => {
  test('with two workers: the old one stays in both, and the new one comes in both', async () => {
    const { first, second, placed, daemon, look, lookUntil, behave } = await start(placeByLink, {
      lines: ['workers: 2'],
    })
    await behave('httpError', second)
    await placed.put(second)
    await daemon.waitForLine(/waits behind the old certificate/)
    for (let handshake = 0; handshake < 8; handshake++) expect(await look()).toEqual(sightOf(first))
    await behave('good', second)
    daemon.refresh()
    await daemon.waitForLine(/the new certificate is shown from now on$/)
    for (let handshake = 0; handshake < 8; handshake++) expect(await lookUntil(sightOf(second))).toHaveLength(1)
  })

  test('renewals by links leave no more watches than there were', async () => {
    const { first, second, placed, daemon, lookUntil } = await start(placeByLink)
    const count = () => countWatches(daemon.program.pid)
    await placed.put(second)
    await lookUntil(sightOf(second))
    const before = await count()
    expect(before).toBeGreaterThan(0)
    for (const leaf of [first, second, first, second, first, second]) {
      await placed.put(leaf)
      await lookUntil(sightOf(leaf))
    }
    // The watches are arranged anew a moment after what they told of.
    await vi.waitUntil(async () => (await count()) <= before, { timeout: 10_000 })
  })
})

describe.concurrent('files that do not fit', () => {
  test('a certificate before its key: nothing is said, and both come together', async () => {
    const { first, second, placed, daemon, look, lookUntil } = await start(placeByRename)
    await writeFile(placed.files.certificateFile, second.chainPem)
    // Time enough to find the half of it.
    const until = performance.now() + 1_000
    while (performance.now() < until) expect(await look()).toEqual(sightOf(first))
    await writeFile(placed.files.keyFile, second.key)
    await lookUntil(sightOf(second))
    expect(daemon.log().filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a certificate whose key never comes is said after a while, with its place and a hint, and changes nothing', async () => {
    const { first, second, placed, daemon, look, lookUntil } = await start(placeByRename)
    await writeFile(placed.files.certificateFile, second.chainPem)
    const { message, level } = await daemon.waitForLine(
      /^not reloaded \(tls\.crt changed\); what was in force goes on\n/,
    )
    expect(level).toBe('error')
    expect(message).toMatch(
      new RegExp(`\\n${daemon.configFile}:\\d+:\\d+: tls\\.key_file: the private key belongs to no certificate`),
    )
    expect(message).toContain('hint: was one of the two renewed without the other?')
    expect(await look()).toEqual(sightOf(first))
    await writeFile(placed.files.keyFile, second.key)
    await lookUntil(sightOf(second))
  })

  test('a renewal brings nothing of a configuration into force that somebody is editing', async () => {
    const { second, placed, daemon, lookUntil } = await start(placeByRename)
    await writeFile(daemon.configFile, 'listen: "127.0.0.1:1"\nbackend {')
    await placed.put(second)
    await lookUntil(sightOf(second))
    daemon.refresh()
    await daemon.waitForLine(/^not reloaded \(SIGHUP\)/)
    expect(await lookUntil(sightOf(second))).toHaveLength(1)
  })

  test('a key in another file for the same certificate is read without a word from the client', async () => {
    const { first, placed, daemon, look } = await start(placeByRename)
    await writeFile(join(placed.files.certificateFile, '..', 'other.key'), first.key)
    const { message } = await reload(daemon, (text) => text.replace('tls.key', 'other.key'))
    expect(message).toBe('reloaded (SIGHUP)')
    expect(await look()).toEqual(sightOf(first))
  })
})

/** What the kernel watches for a process. */
async function countWatches(pid: number): Promise<number> {
  const directory = `/proc/${pid}/fdinfo`
  const texts = await Promise.all(
    (await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8').catch(() => '')),
  )
  return texts.join('').match(/^inotify wd:/gm)?.length ?? 0
}

function hex(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString(16) : value
}
