/** Workers as real processes: what each promise is worth when one of them, or the primary, is killed or frozen. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../kit/free-port.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { isAccepted, openSession, type Seen, shakeHands, until } from '../../serve/tls-client.ts'
import { isAlive, type Primary, setStage, signal, startPrimary } from './stage.ts'

describe('workers', () => {
  it('serve stapled handshakes from the first on, with one request at the responder', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    const primary = await startPrimary({ leaves: [leaf], plan: stage.plan([leaf]), count: 3 })
    const port = await primary.open()
    const seen = await Promise.all(Array.from({ length: 30 }, () => shakeHands(port)))
    expect(unstapled(seen)).toBe(0)
    expect(stage.responder.count).toBe(1)
    // With TLS 1.3 a client is done first.
    expect(await Promise.all(seen.map(({ socket }) => isEchoing(socket)))).not.toContain(false)
    const status = await primary.status()
    expect(status.workers.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving'])
    expect(status).toMatchObject({ secured: 30, stapled: 30, connections: 30 })
  })

  it('resume the sessions that another of them sealed, and those of before a reload', async () => {
    const { primary, port, pids, plan } = await open()
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const session = await openSession(port, { maxVersion })
      const both = await connectToBoth(port, pids, { maxVersion, session })
      expect(both.map(({ isReused }) => isReused)).not.toContain(false)
      await primary.open(plan)
      expect((await shakeHands(port, { maxVersion, session })).isReused).toBe(true)
    }
    const session = await openSession(port)
    await primary.ask('keys')
    await primary.status() // answered after the keys have come
    const after = await Promise.all(Array.from({ length: 10 }, () => shakeHands(port, { session })))
    expect(after.map(({ isReused }) => isReused)).not.toContain(true)
  })

  it('go on with the old plan in old connections and open new addresses when another plan is committed', async () => {
    const { primary, port, stage, leaf } = await open()
    const before = await shakeHands(port)
    const [one, two] = [await freePort(), await freePort()]
    const listeners = [one, two].map((each) => ({ host: '127.0.0.1', port: each }))
    expect(await primary.open(stage.plan([leaf], { listeners }))).toBe(one)
    expect(await isAccepted(one)).toBe(true)
    expect(await isAccepted(two)).toBe(true)
    expect(await isAccepted(port)).toBe(false)
    expect(await isEchoing(before.socket)).toBe(true)
  })

  it('staple what was fetched since, all of them', async () => {
    const { primary, port, stage, pids } = await open()
    const [before] = await connectToBoth(port, pids)
    stage.responder.forget()
    let asked = 0
    do {
      // An answer of the same second is no better.
      await primary.ask('refresh')
      asked++
      await primary.status()
    } while ((await shakeHands(port)).staple === before?.staple)
    const after = await connectToBoth(port, pids)
    expect(stage.responder.count).toBe(asked)
    expect(unstapled(after)).toBe(0)
    expect(new Set(after.map(({ staple }) => staple)).size).toBe(1)
    expect(after[0]?.staple).not.toBe(before?.staple)
  })
})

describe('reloads under load', () => {
  it('fail no handshake and leave none unstapled, also while addresses come and go', async () => {
    const { primary, port, stage, leaf, plan } = await open()
    const extra = { host: '127.0.0.1', port: await freePort() }
    const other = stage.plan([leaf], { listeners: [...plan.listeners, extra] })
    let isOver = false
    let shaken = 0
    const client = async () => {
      while (!isOver) {
        const { staple, socket } = await shakeHands(port)
        if (!staple) throw new Error('not stapled')
        if (!(await isEchoing(socket))) throw new Error('closed')
        socket.destroy()
        shaken++
      }
    }
    const clients = Promise.all(Array.from({ length: 6 }, client))
    for (let reloads = 0; reloads < 40; reloads++) await primary.open(reloads % 2 ? plan : other)
    isOver = true
    await clients
    expect(shaken).toBeGreaterThan(100)
    expect((await primary.status()).failedHandshakes).toBe(0)
    expect(await isAccepted(extra.port)).toBe(false)
  }, 60_000)
})

describe('a plan that cannot be had', () => {
  it('for a port that is taken fails, touches nobody, and works once the port is free', async () => {
    const { primary, port, pids, stage, leaf } = await open()
    const [free, taken] = [await freePort(), await freePort()]
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve))
    const listeners = [free, taken].map((each) => ({ host: '127.0.0.1', port: each }))
    const plan = stage.plan([leaf], { listeners })
    const held = await shakeHands(port)
    await expect(primary.ask('prepare', plan)).rejects.toMatchObject({ code: 'ERR_TERMINATOR_LISTEN' })
    expect(await isAccepted(free)).toBe(false)
    expect(await isAccepted(port)).toBe(true)
    expect(await isEchoing(held.socket)).toBe(true)
    expect(await primary.pids()).toEqual(pids)
    await new Promise((resolve) => other.close(resolve))
    await primary.open(plan)
    expect(await isAccepted(taken)).toBe(true)
  })

  it('for a key that does not fit fails with what OpenSSL says, and the next one works', async () => {
    const { primary, port, stage, leaf, plan } = await open()
    const other = await stage.issue()
    const [site] = plan.sites
    const certificates = [{ chain: leaf.chainPem, key: other.key, certificateKey: 'x' }]
    const bad = { ...plan, sites: [{ ...site, certificates }] }
    await expect(primary.ask('prepare', bad)).rejects.toThrow(/key values mismatch/)
    expect(await isAccepted(port)).toBe(true)
    expect(await primary.open(plan)).toBe(port)
  })

  it('as the first one leaves no process and nothing bound', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    const port = await freePort()
    const plan = stage.plan([leaf], { listeners: [{ host: '127.0.0.1', port }] }, { ciphers: 'NO-SUCH-CIPHER' })
    const primary = await startPrimary({ leaves: [leaf], plan })
    await expect(primary.ask('prepare')).rejects.toThrow(/cipher/i)
    expect(await primary.pids()).toEqual([])
    expect(await isAccepted(port)).toBe(false)
  })

  it('because no worker starts says so, and can be had later', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    const primary = await startPrimary({ leaves: [leaf], plan: stage.plan([leaf]) })
    await primary.ask('env', { NODE_OPTIONS: '--require /nowhere' })
    await expect(primary.ask('prepare')).rejects.toMatchObject({ code: 'ERR_WORKER_LOST' })
    expect(await primary.pids()).toEqual([])
    await primary.ask('env', { NODE_OPTIONS: '' })
    expect(await isAccepted(await primary.open())).toBe(true)
  })

  it('is given up everywhere when it is aborted', async () => {
    const { primary, port, stage, leaf } = await open()
    const other = await freePort()
    await primary.ask('prepare', stage.plan([leaf], { listeners: [{ host: '127.0.0.1', port: other }] }))
    await primary.ask('abort')
    expect(await isAccepted(other)).toBe(false)
    expect(await isAccepted(port)).toBe(true)
  })

  it('fails in all when one worker is frozen; that one is replaced, and the next plan works', async () => {
    const { primary, port, pids, stage, leaf } = await open()
    const [frozen = 0, other = 0] = pids
    const address = await freePort()
    const plan = stage.plan([leaf], { listeners: [{ host: '127.0.0.1', port: address }] })
    signal(frozen, 'SIGSTOP')
    await expect(primary.ask('prepare', plan)).rejects.toMatchObject({ code: 'ERR_WORKER_LOST' })
    expect(await isAccepted(address)).toBe(false)
    expect(await isAccepted(port)).toBe(true)
    await settle(primary, 2)
    expect(await primary.pids()).toContain(other)
    expect(await primary.pids()).not.toContain(frozen)
    await primary.open(plan)
    expect(await isAccepted(address)).toBe(true)
  }, 40_000)
})

describe('a worker that is killed', () => {
  it('takes its own connections with it and nothing else', async () => {
    const { primary, port, pids } = await open()
    const [victim = 0, other = 0] = pids
    const before = socketsOf(victim)
    const both = await connectToBoth(port, pids)
    const lost = socketsOf(victim) - before
    signal(victim, 'SIGKILL')
    await until(() => !isAlive(victim))
    const during = await Promise.all(Array.from({ length: 10 }, () => shakeHands(port)))
    expect(unstapled(during)).toBe(0)
    const alive = await Promise.all(both.map(({ socket }) => isEchoing(socket)))
    // Of each connection it had two sockets, the backend's among them.
    expect(alive.filter((is) => !is).length).toBe(lost / 2)
    expect(alive).toContain(true)
    await settle(primary, 2)
    expect(await primary.pids()).toContain(other)
    const lines = primary.told('line').filter(({ fields }) => fields?.event === 'worker-ended')
    expect(lines).toHaveLength(1)
    expect(lines[0].text).toMatch(new RegExp(`worker ${victim} ended \\(SIGKILL\\)`))
  })

  it('under load fails no more handshakes than it had, and leaves none unstapled', async () => {
    const { primary, port, pids } = await open()
    let isOver = false
    let shaken = 0
    let failed = 0
    const client = async () => {
      while (!isOver) {
        const seen = await shakeHands(port).catch(() => undefined)
        if (seen && !seen.staple) throw new Error('not stapled')
        if (seen && (await isEchoing(seen.socket))) shaken++
        else failed++
        seen?.socket.destroy()
      }
    }
    const clients = Promise.all(Array.from({ length: 8 }, client))
    await until(() => shaken > 50)
    signal(pids[0] as number, 'SIGKILL')
    await settle(primary, 2)
    const then = shaken
    await until(() => shaken > then + 50)
    isOver = true
    await clients
    expect(failed).toBeLessThanOrEqual(8)
  })

  it('again and again is replaced ever later, and serves again when it can', async () => {
    const { primary, port, pids } = await open()
    await primary.ask('env', { NODE_OPTIONS: '--require /nowhere' })
    signal(pids[0] as number, 'SIGKILL')
    const ended = () => primary.told('line').filter(({ fields }) => fields?.event === 'worker-ended')
    await primary.heard('line', ({ fields }) => fields?.delayMs === 2_000)
    expect(ended().map(({ fields }) => fields.delayMs)).toEqual([0, 1_000, 2_000])
    expect(unstapled([await shakeHands(port)])).toBe(0)
    await primary.ask('env', { NODE_OPTIONS: '' })
    await settle(primary, 2)
  })

  it('is replaced by one that staples from its first handshake on', async () => {
    const { primary, port } = await open()
    let ended = 0
    for (let round = 0; round < 3; round++) {
      const [first = 0] = (await settle(primary, 2)).slice(-1)
      signal(first, 'SIGKILL')
      for (let shaken = 0; shaken < 20; shaken++) {
        // A connection that the killed one had accepted is lost.
        const seen = await shakeHands(port).catch(() => undefined)
        if (seen === undefined) ended++
        else expect(seen.staple).not.toBeFalsy()
        seen?.socket.destroy()
      }
    }
    expect(ended).toBeLessThan(6)
  })

  it('together with all others gives way to new ones on the same port', async () => {
    const { primary, port, pids } = await open()
    for (const pid of pids) signal(pid, 'SIGKILL')
    await until(() => !pids.some(isAlive))
    await settle(primary, 2)
    expect(unstapled([await shakeHands(port)])).toBe(0)
  })

  it('does not make the counts fall', async () => {
    const { primary, port, pids } = await open({ lookMs: 50 })
    await connectToBoth(port, pids)
    const { accepted } = await primary.status()
    signal(pids[0] as number, 'SIGKILL')
    await settle(primary, 2)
    expect((await primary.status()).accepted).toBe(accepted)
  })
})

describe('a worker that is frozen', () => {
  it('leaves new connections to the others, is said to be gone, and is replaced when it stays silent', async () => {
    const { primary, port, pids } = await open({ lookMs: 400 })
    const [frozen = 0, other = 0] = pids
    signal(frozen, 'SIGSTOP')
    const seen = await Promise.all(Array.from({ length: 20 }, () => shakeHands(port)))
    expect(unstapled(seen)).toBe(0)
    expect((await primary.status()).workers).toEqual([
      { pid: frozen, state: 'gone' },
      { pid: other, state: 'serving' },
    ])
    await primary.heard('line', ({ fields }) => fields?.event === 'worker-silent' && fields.pid === frozen)
    await settle(primary, 2)
    expect(isAlive(frozen)).toBe(false)
  })
})

describe('a worker that is told to end', () => {
  it('lets its connections finish while another takes its place', async () => {
    const { primary, port, pids } = await open()
    const [leaving = 0] = pids
    const both = await connectToBoth(port, pids)
    signal(leaving, 'SIGTERM')
    await primary.heard('line', ({ fields }) => fields?.event === 'worker-leaving')
    expect(await Promise.all(both.map(({ socket }) => isEchoing(socket)))).not.toContain(false)
    for (const { socket } of both) socket.destroy()
    await until(() => !isAlive(leaving))
    expect(await settle(primary, 2)).not.toContain(leaving)
    expect((await primary.status()).secured).toBe(both.length)
    expect(unstapled([await shakeHands(port)])).toBe(0)
    expect(primary.told('line').filter(({ fields }) => fields?.event === 'worker-ended')).toEqual([])
  })
})

describe('a primary that is frozen', () => {
  it('stops no handshake; its workers staple until the staple is withdrawn, and all is well when it goes on', async () => {
    const { primary, port, stage, leaf } = await open({ validityMs: 4_000 })
    signal(primary.program.pid, 'SIGSTOP')
    const seen = await Promise.all(Array.from({ length: 20 }, () => shakeHands(port)))
    expect(unstapled(seen)).toBe(0)
    const withdrawn = await untilUnstapled(port)
    // 5 % before nextUpdate.
    const nextUpdate = Math.max(...stage.responder.requests.map(({ at }) => at.getTime())) + 4_000
    expect(withdrawn).toBeLessThan(nextUpdate)
    signal(primary.program.pid, 'SIGCONT')
    for (;;) if ((await shakeHands(port)).staple) break
    expect((await primary.status()).workers.map(({ state }) => state)).toEqual(['serving', 'serving'])
    expect(await primary.open(stage.plan([leaf]))).toBe(port)
  })

  it('costs its workers no memory under a flood of what they would tell', async () => {
    const { primary, port, pids } = await open({ backend: 'tcp://127.0.0.1:1' })
    signal(primary.program.pid, 'SIGSTOP')
    const flood = async (count: number) => {
      for (let done = 0; done < count; done += 50)
        await Promise.all(Array.from({ length: 50 }, () => isAccepted(port, { requestOCSP: false })))
    }
    await flood(300)
    const before = pids.map(memoryOf)
    await flood(1_000)
    const grown = pids.map((pid, index) => memoryOf(pid) - (before[index] as number))
    expect(Math.max(...grown)).toBeLessThan(30_000)
    signal(primary.program.pid, 'SIGCONT')
    const { error } = await primary.heard('event', ({ type }) => type === 'backend-failed')
    expect(error.code).toBe('ERR_TERMINATOR_BACKEND')
    const status = await primary.status()
    expect(status.failedBackends).toBeGreaterThanOrEqual(1_300)
    const heard = () => primary.told('event').filter(({ type }) => type === 'backend-failed').length
    await until(() => heard() === status.failedBackends)
  })
})

describe('a primary that is killed', () => {
  it('leaves workers that serve on, staple until the staple is withdrawn, and end when told to', async () => {
    const { primary, port, pids, stage } = await open({ validityMs: 5_000 })
    const held = await shakeHands(port)
    process.kill(primary.program.pid, 'SIGKILL')
    await until(() => primary.program.stderr().split('the primary is gone').length === 3)
    const seen = await Promise.all(Array.from({ length: 20 }, () => shakeHands(port)))
    expect(unstapled(seen)).toBe(0)
    const nextUpdate = Math.max(...stage.responder.requests.map(({ at }) => at.getTime())) + 5_000
    expect(await untilUnstapled(port)).toBeLessThan(nextUpdate)
    expect(await isEchoing(held.socket)).toBe(true)
    expect(await isAccepted(port)).toBe(true)
    for (const pid of pids) signal(pid, 'SIGTERM')
    expect(await isEchoing(held.socket)).toBe(true)
    for (const { socket } of [held, ...seen]) socket.destroy()
    await until(() => !pids.some(isAlive))
    expect(await isAccepted(port)).toBe(false)
  })

  it('is followed by another on the same port: the workers it left let go', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    const port = await freePort()
    const plan = stage.plan([leaf], { listeners: [{ host: '127.0.0.1', port }] })
    const orphanage = { socket: join(temporaryDirectory('orphans'), 'control.sock'), format: 'text' as const }
    const first = await startPrimary({ leaves: [leaf], plan, orphanage })
    await first.open()
    const orphans = await first.pids()
    const held = await shakeHands(port)
    process.kill(first.program.pid, 'SIGKILL')
    await until(() => first.program.stderr().split('the primary is gone').length === 3)

    const second = await startPrimary({ leaves: [leaf], plan, orphanage })
    expect(await second.open()).toBe(port)
    expect(await isEchoing(held.socket)).toBe(true)
    expect(unstapled([await shakeHands(port)])).toBe(0)
    held.socket.destroy()
    await until(() => !orphans.some(isAlive))
    expect(first.program.stderr()).toMatch(/ending: another primary takes over/)
    expect(second.told('line').map(({ text }) => text)).toContain('workers of an earlier process let go of the port: 2')
    await second.ask('drain')
    await second.program.ended
    expect(readdirSync(dirname(orphanage.socket))).toEqual([])
  })

  it('ends workers that served nothing yet', async () => {
    const { primary, pids } = await open()
    for (const pid of pids) signal(pid, 'SIGKILL')
    await primary.heard('line', ({ fields }) => fields?.event === 'worker-ended')
    process.kill(primary.program.pid, 'SIGKILL')
    const left = () => childrenLeft(primary)
    await until(() => left() === 0)
  })
})

describe('an end', () => {
  it('in order lets connections finish, is told once, and leaves no process', async () => {
    const { primary, port, pids } = await open()
    const both = await connectToBoth(port, pids)
    const drained = primary.ask('drain')
    await untilRefused(port)
    expect(await Promise.all(both.map(({ socket }) => isEchoing(socket)))).not.toContain(false)
    for (const { socket } of both) socket.destroy()
    await drained
    expect(pids.filter(isAlive)).toEqual([])
    expect(primary.told('event')).toEqual([expect.objectContaining({ type: 'drained', destroyed: 0 })])
    expect((await primary.program.ended).code).toBe(0)
  })

  it('cuts what has not ended in time, in all of them', async () => {
    const { primary, port, pids } = await open({ drainTimeoutMs: 100 })
    const both = await connectToBoth(port, pids)
    await primary.ask('drain')
    expect(primary.told('event')).toEqual([expect.objectContaining({ type: 'drained', destroyed: both.length })])
  })

  it('does not wait for a worker that has only begun', async () => {
    for (const pauseMs of [0, 50, 150]) {
      const { primary, pids } = await open()
      signal(pids[0] as number, 'SIGKILL')
      await primary.heard('line', ({ fields }) => fields?.event === 'worker-ended')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      const before = performance.now()
      await primary.ask('drain')
      expect(performance.now() - before).toBeLessThan(5_000)
    }
  }, 60_000)

  it('does not wait for a worker that is frozen when it is cut', async () => {
    const { primary, pids, port } = await open({ drainTimeoutMs: 60_000 })
    await connectToBoth(port, pids)
    signal(pids[0] as number, 'SIGSTOP')
    const drained = primary.ask('drain')
    await primary.ask('cut')
    await drained
    expect(pids.filter(isAlive)).toEqual([])
  })
})

describe('what all workers find out', () => {
  it('is told once: a certificate that is refused, whose sessions are void everywhere', async () => {
    const { primary, port, pids } = await open({ validityMs: 3_000, policies: { onStale: 'refuse' } })
    const session = await openSession(port)
    expect((await shakeHands(port, { session })).isReused).toBe(true)
    process.kill(primary.program.pid, 'SIGSTOP')
    for (;;) if (!(await isAccepted(port))) break
    process.kill(primary.program.pid, 'SIGCONT')
    await primary.heard('event', ({ type }) => type === 'certificate-restored')
    const both = await connectToBoth(port, pids, { session })
    expect(both.map(({ isReused }) => isReused)).not.toContain(true)
    const later = await connectToBoth(port, pids, { session: await openSession(port) })
    expect(later.map(({ isReused }) => isReused)).not.toContain(false)
    const told = primary.told('event').map(({ type }) => type)
    const ofCertificates = told.filter((type: string) => type.startsWith('certificate-'))
    expect(ofCertificates).toEqual(['certificate-refused', 'certificate-restored'])
  })
})

describe('a primary', () => {
  it('does not grow with reloads', async () => {
    const { primary, plan } = await open({ nodeArgs: ['--expose-gc'] })
    const reload = async (times: number) => {
      for (let done = 0; done < times; done++) await primary.open(plan)
      return primary.ask<number>('memory')
    }
    const before = await reload(30)
    expect((await reload(60)) - before).toBeLessThan(1_000_000)
  })
})

interface Choices {
  readonly validityMs?: number
  readonly lookMs?: number
  readonly drainTimeoutMs?: number
  readonly backend?: string
  readonly policies?: { readonly onStale: 'refuse' }
  readonly nodeArgs?: readonly string[]
}

/** Two workers that serve one certificate. */
async function open({ validityMs, lookMs, nodeArgs, policies, ...more }: Choices = {}) {
  const stage = await setStage(validityMs ? { validityMs } : {})
  const leaf = await stage.issue()
  const plan = stage.plan([leaf], more, policies ? { policies } : {})
  const primary = await startPrimary({ leaves: [leaf], plan, ...(lookMs && { lookMs }), ...(nodeArgs && { nodeArgs }) })
  const port = await primary.open()
  return { stage, leaf, plan, primary, port, pids: await primary.pids() }
}

/** Connections until each of these processes has some. */
async function connectToBoth(port: number, pids: readonly number[], options = {}): Promise<Seen[]> {
  const before = pids.map(socketsOf)
  const seen: Seen[] = []
  while (pids.some((pid, index) => socketsOf(pid) < (before[index] as number) + 4)) {
    seen.push(...(await Promise.all(Array.from({ length: 6 }, () => shakeHands(port, options)))))
    if (seen.length > 600) throw new Error('one of the workers takes no connection')
  }
  // With TLS 1.3 a client is done first; the backend is dialled then.
  for (const { socket } of seen) if (!(await isEchoing(socket))) throw new Error('closed at once')
  return seen
}

async function isEchoing(socket: TLSSocket): Promise<boolean> {
  if (socket.destroyed) return false
  return await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true))
    socket.once('close', () => resolve(false))
    socket.on('error', () => resolve(false))
    socket.write('still there?')
  })
}

/** Resolves with the hour of the first handshake without a staple. */
async function untilUnstapled(port: number): Promise<number> {
  for (;;) {
    const at = Date.now()
    const { staple, socket } = await shakeHands(port)
    socket.destroy()
    if (!staple) return at
  }
}

async function untilRefused(port: number): Promise<void> {
  while (await isAccepted(port)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Resolves with the pids when so many serve. */
async function settle(primary: Primary, count: number): Promise<number[]> {
  for (;;) {
    const { workers } = await primary.status()
    const serving = workers.filter(({ state }) => state === 'serving')
    if (serving.length === count) return serving.map(({ pid }) => pid)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function unstapled(seen: readonly Seen[]): number {
  return seen.filter(({ staple }) => !staple).length
}

function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

/** Resident, in kilobytes. */
function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Processes of the primary's group. */
function childrenLeft(primary: Primary): number {
  return readdirSync('/proc').filter((entry) => {
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      return Number(fields[2]) === primary.program.pid && fields[0] !== 'Z'
    } catch {
      return false
    }
  }).length
}
