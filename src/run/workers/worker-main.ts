/**
 * The program of a worker process: started by node:cluster, told what to do through its channel.
 *
 * When the primary is gone it goes on serving what it holds, for a day at most; see docs/guide/workers.md.
 */
import cluster from 'node:cluster'
import { systemClock } from '../../keep/clock.ts'
import { openJournal } from '../journal/journal.ts'
import { createStyle } from '../journal/style.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { awaitPrimary } from './orphan.ts'
import { createWorker } from './worker.ts'

/** How long a worker serves without a primary: its certificates and ticket keys get old. */
const longestOrphanMs = 24 * 3_600_000

/** A signal to all of a group reaches the primary too, and it is heard first. */
const primaryFirstMs = 250

function main(): void {
  const clock = systemClock
  let signals = 0
  let stopWaiting: (() => void) | undefined
  const worker = createWorker({ clock, send, finished: end })

  /** The channel may break at any moment: what is not heard any more is not needed. */
  function send(message: FromWorker): void {
    if (process.connected) process.send?.(message, undefined, undefined, ignore)
  }

  /** Waits for the channel to be written out, then ends: nothing that is left may keep the process. */
  function end(): void {
    const exit = () => process.exit(0)
    if (process.connected) process.send?.({ type: 'leaving' }, undefined, undefined, exit)
    else exit()
  }

  async function leave(): Promise<void> {
    stopWaiting?.()
    send({ type: 'leaving' })
    await worker.drain()
    end()
  }

  /** A supervisor signals all processes of a service: then the primary says what is to be done, in a moment. */
  function signalled(): void {
    signals++
    if (signals > 1) return worker.cut()
    clock.wake(process.connected ? primaryFirstMs : 0, () => {
      if (!worker.isDraining) void leave()
    })
  }

  async function liveOn(): Promise<void> {
    worker.abort()
    worker.orphaned()
    if (!worker.isServing) return end()
    const { format, socket } = worker.orphanage ?? { format: 'json' }
    const { stderr } = process
    // Who read it may be gone too.
    stderr.on('error', ignore)
    const style = createStyle(stderr, process.env)
    const journal = await openJournal({ format, level: 'info', stream: stderr, style, now: clock.now })
    const say = (text: string) => journal.say({ level: 'warn', subject: `worker ${process.pid}`, text })
    say('the primary is gone: serving on with the staples held, until another is started, SIGTERM, or 24 h have passed')
    const depart = (because: string) => {
      if (!worker.isServing) return
      say(`ending: ${because}`)
      void leave()
    }
    if (socket) stopWaiting = awaitPrimary({ socket, pid: process.pid }, () => depart('another primary takes over'))
    clock.wake(longestOrphanMs, () => depart('24 h without a primary'))
  }

  process.on('message', (message) => worker.receive(message as ToWorker))
  process.on('SIGTERM', signalled)
  // A Ctrl-C reaches the whole group and is the primary's matter; so are a terminal's end and a reload.
  process.on('SIGINT', () => {
    if (!process.connected) signalled()
  })
  process.on('SIGHUP', ignore)
  cluster.worker?.on('disconnect', () => {
    // Else node:cluster ends the process after this event.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
    if (!worker.isDraining) void liveOn()
  })
  send({ type: 'ready' })
}

function ignore(): void {}

main()
