/** A primary and its workers as processes of their own, with what they need around them: what these tests begin with. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HostStatus } from '../../../src/run/workers/host.ts'
import type { Orphanage } from '../../../src/run/workers/messages.ts'
import type { FrontPlan } from '../../../src/serve/terminator/index.ts'
import { createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { type Program, startProgram } from '../../kit/program.ts'
import { createScriptedResponder, type ScriptedResponderOptions } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { echoBackend, type SiteChoices, site } from '../../serve/terminator/stage.ts'

export interface PrimaryOptions {
  readonly leaves: readonly Leaf[]
  readonly plan: FrontPlan
  /** Default 2. */
  readonly count?: number
  readonly orphanage?: Orphanage
  readonly lookMs?: number
  readonly nodeArgs?: readonly string[]
}

export interface Primary {
  readonly program: Program
  /** Asks the primary; rejects with what it threw. */
  ask<T = unknown>(act: string, given?: unknown): Promise<T>
  /** Prepares and commits its plan. @returns the first port */
  open(plan?: FrontPlan): Promise<number>
  status(): Promise<HostStatus>
  pids(): Promise<number[]>
  /** What it told so far, of one kind. */
  told(kind: 'event' | 'line'): readonly Told[]
  /** Resolves with the first that fits. */
  heard(kind: 'event' | 'line', fits: (told: Told) => boolean, timeoutMs?: number): Promise<Told>
}

// biome-ignore lint/suspicious/noExplicitAny: what a process told, as it came
type Told = any

/** An authority, its responder and an echoing backend. */
export async function setStage(options: Partial<ScriptedResponderOptions> = {}) {
  const authority = await createAuthority()
  const responder = await createScriptedResponder({ authority, ...options })
  const backend = await echoBackend()
  return {
    authority,
    responder,
    backend,
    issue: (leaf: LeafOptions = {}) => authority.issueLeaf({ responderURL: responder.url, ...leaf }),
    plan: (leaves: readonly Leaf[], more: Partial<FrontPlan> = {}, choices: SiteChoices = {}): FrontPlan => ({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      backend: backend.url,
      drainTimeoutMs: 2_000,
      sites: leaves.map((leaf) => site(leaf, { policies: { onRevoked: 'staple' }, ...choices })),
      ...more,
    }),
  }
}

/** Starts a primary; it and its workers end with the test. */
export async function startPrimary({ leaves, nodeArgs = [], ...options }: PrimaryOptions): Promise<Primary> {
  const file = join(temporaryDirectory('workers'), 'primary.json')
  const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64')
  const kept = leaves.map((leaf) => ({ certificate: base64(leaf.der), issuers: [base64(leaf.issuer.der)] }))
  writeFileSync(file, JSON.stringify({ count: 2, ...options, kept }))
  const program = startProgram(process.execPath, [...nodeArgs, driver, file], { name: 'primary', graceMs: 500 })
  const told: Told[] = []
  let readTo = 0
  let lastId = 0
  const read = () => {
    const text = program.stdout()
    for (let end = text.indexOf('\n', readTo); end >= 0; end = text.indexOf('\n', readTo)) {
      told.push(JSON.parse(text.slice(readTo, end)))
      readTo = end + 1
    }
    return told
  }
  async function find(fits: (told: Told) => boolean, timeoutMs = 15_000): Promise<Told> {
    const deadline = performance.now() + timeoutMs
    for (let from = 0; ; ) {
      const all = read()
      const found = all.slice(from).find(fits)
      if (found) return found
      from = all.length
      const left = Math.max(1, deadline - performance.now())
      await program.waitFor(/\n/, left, program.output().length).catch((error) => {
        if (read().length === from) throw error
      })
    }
  }
  const primary: Primary = {
    program,
    async ask(act, given) {
      const id = ++lastId
      program.write(`${JSON.stringify({ id, act, given })}\n`)
      const { value, error } = await find((one) => one.id === id, 30_000)
      if (error) throw Object.assign(new Error(error.message), error)
      return value
    },
    async open(plan) {
      await primary.ask('settled')
      await primary.ask('prepare', plan)
      const [address] = await primary.ask<{ port: number }[]>('commit')
      return address?.port as number
    },
    status: () => primary.ask('status'),
    pids: async () => (await primary.status()).workers.map(({ pid }) => pid),
    told: (kind) => read().flatMap((one) => (one[kind] ? [one[kind]] : [])),
    heard: async (kind, fits, timeoutMs) => (await find((one) => one[kind] && fits(one[kind]), timeoutMs))[kind],
  }
  await find((one) => one.pid !== undefined)
  return primary
}

/** Sends a signal to one process; it is continued and killed with the test, whatever it is then. */
export function signal(pid: number, name: NodeJS.Signals): void {
  process.kill(pid, name)
  endsWithTest(() => {
    for (const each of ['SIGCONT', 'SIGKILL'] as const) {
      try {
        process.kill(pid, each)
      } catch {
        // It is gone.
      }
    }
  })
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const driver = fileURLToPath(new URL('primary.mjs', import.meta.url))
