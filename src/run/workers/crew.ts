/**
 * The worker processes: started, watched, replaced when they end or fall silent, dismissed in the end.
 *
 * It knows processes; what they serve is told them by who greets them (workers-host.ts).
 */
import cluster from 'node:cluster'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../keep/clock.ts'
import type { Line } from '../journal/journal.ts'
import { restartDelayMs } from './back-off.ts'
import { createMember, type Member } from './member.ts'
import type { FromWorker, SentEvents } from './messages.ts'

export interface Crew {
  /** Starts whoever is missing, if nobody was ever started; resolves with all who serve once nobody is starting. */
  hire(): Promise<readonly Member[]>
  /** Those whose process lives, in the order of their start. */
  members(): readonly Member[]
  /** Lets one end in its own time, and another take its place now. */
  replace(member: Member, because: string): void
  /** Greets those again to whom it applies: for them something has changed. */
  bringAll(isBehind: (member: Member) => boolean): void
  /** Asks one how it is. @returns whether it said; if so, `lastStatus` is what it said */
  look(member: Member, withinMs: number): Promise<boolean>
  /** Lets all drain, and ends those that have not after the time. @returns how many connections were cut */
  dismiss(withinMs: number): Promise<number>
}

export interface CrewOptions {
  readonly count: number
  readonly clock: Clock
  readonly lookMs: number
  say(line: Line): void
  /** Brings a new worker to where the others are; it serves when this resolves, and is ended when it rejects. */
  greet(member: Member): Promise<void>
  received(member: Member, events: readonly SentEvents[]): void
  /** It asks about a client. */
  asked(member: Member, message: Extract<FromWorker, { type: 'judge' }>): void
  /** Its process is gone. */
  ended(member: Member): void
}

/** Creates a crew of nobody. */
export function createCrew(options: CrewOptions): Crew {
  const { count, clock, lookMs, say, greet, received, asked, ended } = options
  const living = new Map<Member, Promise<void>>()
  const greetings = new Set<Promise<void>>()
  const posts: Post[] = []
  let isDismissed = true
  let cancelLook: (() => void) | undefined

  function start(post: Post): void {
    const startedAtMs = clock.monotonicMs()
    const worker = cluster.fork()
    const member = createMember(
      {
        pid: worker.process.pid ?? 0,
        send: (message, sent) => void worker.process.send(message, undefined, undefined, sent),
        kill: () => void worker.process.kill('SIGKILL'),
      },
      clock,
    )
    post.member = member
    let heard: (isReady: boolean) => void = ignore
    const ready = new Promise<boolean>((resolve) => {
      heard = resolve
    })
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') heard(true)
      else if (message.type === 'events') received(member, message.events)
      else if (message.type === 'judge') asked(member, message)
      else if (message.type === 'leaving') replace(member, 'was told to end')
      else member.receive(message)
    })
    const exited = new Promise<void>((resolve) => {
      const gone = (because: string) => {
        if (member.state === 'gone') return
        const wasServing = member.state !== 'leaving'
        member.bury()
        heard(false)
        living.delete(member)
        ended(member)
        if (wasServing) succeed(post, member, because, clock.monotonicMs() - startedAtMs)
        resolve()
      }
      worker.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`))
      worker.on('error', (error) => {
        // The system had no process for it: there is no exit to come.
        if (worker.process.pid === undefined) gone(error.message)
      })
    })
    living.set(member, exited)
    const cancel = clock.wake(startMs, () => worker.process.kill('SIGKILL'))
    bring(member, async () => {
      const isReady = await ready
      cancel()
      if (isReady) await greet(member)
    })
  }

  /** Brings a worker up to date; it takes part when that is done. */
  function bring(member: Member, task: () => Promise<void>): void {
    member.state = 'starting'
    const greeting = task()
      .then(() => {
        if (member.state === 'starting') member.state = 'serving'
      })
      .catch((thrown: unknown) => {
        if (member.state === 'gone') return
        const message = thrown instanceof Error ? thrown.message : String(thrown)
        say({ level: 'error', subject: 'front', text: `worker ${member.pid} cannot serve: ${message}` })
        member.kill()
      })
      .finally(() => greetings.delete(greeting))
    greetings.add(greeting)
  }

  /** Somebody else takes the post of one who is gone. */
  function succeed(post: Post, member: Member, because: string, livedMs: number): void {
    if (isDismissed || post.member !== member) return
    const delayMs = restartDelayMs(livedMs, post.delayMs)
    post.delayMs = delayMs
    post.member = undefined
    const when = delayMs === 0 ? 'now' : `in ${delayMs / 1_000} s`
    say({
      level: 'error',
      subject: 'front',
      text: `worker ${member.pid} ended (${because}): its connections are lost; another takes its place ${when}`,
      fields: { event: 'worker-ended', pid: member.pid, delayMs },
    })
    if (delayMs === 0) start(post)
    else post.cancelStart = clock.wake(delayMs, () => start(post))
  }

  function replace(member: Member, because: string): void {
    if (member.state === 'leaving' || member.state === 'gone') return
    member.state = 'leaving'
    const post = posts.find((each) => each.member === member)
    if (isDismissed || post === undefined) return
    say({
      level: 'warn',
      subject: 'front',
      text: `worker ${member.pid} ${because}: it drains, another takes its place now`,
      fields: { event: 'worker-leaving', pid: member.pid },
    })
    start(post)
    void drain(member, longestMs).catch(ignore)
  }

  /** Its last words are its counts. */
  async function drain(member: Member, withinMs: number): Promise<number> {
    const { destroyed, status = member.lastStatus } = await member.ask({ act: 'drain' }, withinMs)
    member.lastStatus = status
    return destroyed
  }

  async function look(member: Member, withinMs: number): Promise<boolean> {
    try {
      member.lastStatus = await member.ask({ act: 'status' }, withinMs)
      member.silences = 0
      return true
    } catch {
      return false
    }
  }

  /** Counts looks, not time: a machine that slept, or a primary that was frozen, finds nobody silent. */
  function lookAround(): void {
    for (const member of living.keys()) {
      if (member.state !== 'serving' || member.isLoading) continue
      member.silences++
      if (member.silences > mostSilences) {
        const seconds = Math.round((mostSilences * lookMs) / 1_000)
        const text = `worker ${member.pid} has not answered for ${seconds} s and is ended`
        say({ level: 'error', subject: 'front', text, fields: { event: 'worker-silent', pid: member.pid } })
        member.kill()
      } else void look(member, lookMs)
    }
    cancelLook = clock.wake(lookMs, lookAround)
  }

  return {
    async hire() {
      if (isDismissed) {
        isDismissed = false
        cluster.schedulingPolicy = cluster.SCHED_NONE
        cluster.setupPrimary({ exec: workerFile, args: [], serialization: 'advanced' })
        posts.splice(0, posts.length, ...Array.from({ length: count }, () => ({}) as Post))
        for (const post of posts) start(post)
        cancelLook = clock.wake(lookMs, lookAround)
      }
      while (greetings.size > 0) await Promise.all(greetings)
      return [...living.keys()].filter(({ state }) => state === 'serving')
    },
    members: () => [...living.keys()],
    replace,
    bringAll(isBehind) {
      for (const member of living.keys()) {
        if (member.state === 'serving' && isBehind(member)) bring(member, () => greet(member))
      }
    },
    look,
    async dismiss(withinMs) {
      isDismissed = true
      cancelLook?.()
      for (const post of posts) post.cancelStart?.()
      const drained = [...living].map(async ([member, exited]) => {
        // What is sent to a process that does not listen yet is lost, and it has no connection to lose.
        if (member.version === 0) member.kill()
        const cancel = clock.wake(withinMs, () => member.kill())
        const destroyed = await drain(member, withinMs).catch(() => 0)
        await exited
        cancel()
        return destroyed
      })
      return (await Promise.all(drained)).reduce((sum, destroyed) => sum + destroyed, 0)
    },
  }
}

/** A place in the crew, whoever has it. */
interface Post {
  member: Member | undefined
  /** What was waited for the last successor. */
  delayMs: number | undefined
  cancelStart: (() => void) | undefined
}

function ignore(): void {}

/** Beside this file, compiled or not. */
const workerFile = fileURLToPath(new URL(`./worker-main${extname(import.meta.url)}`, import.meta.url))

/** How long a worker may take to come to itself. */
const startMs = 30_000
const mostSilences = 6
const longestMs = 24 * 3_600_000
