/**
 * Real programs as children: started, waited for, fed, ended with the test, their output shown when something is wrong.
 *
 * `startProgram` for servers, `runProgram` for what runs to its end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { endsWithTest } from './lifetime.ts'

export interface ProgramOptions {
  readonly cwd?: string
  /** Added to this process's own environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What errors call it; default the command's name. */
  readonly name?: string
  /** How long SIGTERM may take before SIGKILL; default 3000. */
  readonly graceMs?: number
}

export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly pid: number
  readonly child: ChildProcess
  /** Everything it wrote so far, both streams as they came. */
  output(): string
  stdout(): string
  stderr(): string
  readonly ended: Promise<ProgramEnd>
  readonly hasEnded: boolean
  /** Resolves when the output (from `from`, default its start) matches; rejects with the output when it ends or time is up. */
  waitFor(pattern: RegExp | string, timeoutMs?: number, from?: number): Promise<RegExpMatchArray>
  /** Resolves when somebody accepts on the port; rejects with the output when it ends or time is up. */
  waitForPort(port: number, host?: string, timeoutMs?: number): Promise<void>
  write(text: string): void
  kill(signal?: NodeJS.Signals): void
  /** Ends it and its children: SIGTERM, then SIGKILL. */
  end(): Promise<ProgramEnd>
}

/** Debian keeps servers there, and users' paths leave it out. */
const systemPlaces = ['/usr/sbin', '/sbin']

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) killGroup(child)
})

/** Starts a program in a process group of its own; it ends with the test that started it. */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const name = options.name ?? command
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, PATH: [process.env.PATH, ...systemPlaces].join(delimiter), ...options.env },
    detached: true,
  })
  running.add(child)
  const chunks: { stream: 'stdout' | 'stderr'; text: string }[] = []
  const watchers = new Set<() => void>()
  const stir = () => {
    for (const watcher of [...watchers]) watcher()
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      chunks.push({ stream, text })
      stir()
    })
  }
  child.stdin?.on('error', () => {}) // it may end before it reads what it was given
  let end: ProgramEnd | undefined
  const ended = new Promise<ProgramEnd>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      if (end) return
      end = { code, signal }
      running.delete(child)
      resolve(end)
      stir()
    }
    child.once('error', (error) => {
      chunks.push({ stream: 'stderr', text: `${error.message}\n` })
      settle(127, null)
    })
    child.once('close', settle)
    child.once('exit', (code, signal) => setTimeout(settle, 2_000, code, signal)) // its own children may hold the pipes; a busy test process reads late
  })
  const text = (stream?: 'stdout' | 'stderr') =>
    chunks
      .filter((chunk) => !stream || chunk.stream === stream)
      .map((chunk) => chunk.text)
      .join('')
  const failure = (what: string) => {
    const state = end ? `it ended with ${end.signal ?? `code ${end.code}`}` : 'it is still running'
    return new Error(`${name}: ${what}; ${state}; its output:\n${text() || '(none)'}\n$ ${command} ${args.join(' ')}`)
  }

  const program: Program = {
    pid: child.pid ?? -1,
    child,
    output: () => text(),
    stdout: () => text('stdout'),
    stderr: () => text('stderr'),
    ended,
    get hasEnded() {
      return end !== undefined
    },
    waitFor(pattern, timeoutMs = 10_000, from = 0) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = text().slice(from).match(pattern)
          if (found) finish(() => resolve(found))
          else if (end) finish(() => reject(failure(`ended before it wrote ${pattern}`)))
        }
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          watchers.delete(look)
          settle()
        }
        const timer = setTimeout(
          () => finish(() => reject(failure(`did not write ${pattern} within ${timeoutMs} ms`))),
          timeoutMs,
        )
        watchers.add(look)
        look()
      })
    },
    async waitForPort(port, host = '127.0.0.1', timeoutMs = 10_000) {
      const deadline = performance.now() + timeoutMs
      while (!(await accepts(port, host))) {
        if (end) throw failure(`ended before it listened on ${host}:${port}`)
        if (performance.now() > deadline) throw failure(`did not listen on ${host}:${port} within ${timeoutMs} ms`)
        await new Promise((resolve) => setTimeout(resolve, 15))
      }
    },
    write(input) {
      child.stdin?.write(input)
    },
    kill(signal = 'SIGTERM') {
      child.kill(signal)
    },
    async end() {
      if (!end) {
        child.kill('SIGTERM')
        const timer = setTimeout(() => killGroup(child), options.graceMs ?? 3000)
        await ended
        clearTimeout(timer)
      }
      killGroup(child)
      return ended
    },
  }
  endsWithTest(() => program.end())
  return program
}

export interface ProgramResult extends ProgramEnd {
  readonly stdout: string
  readonly stderr: string
  /** Both streams as they came. */
  readonly output: string
}

/** Runs a program to its end with `input` on stdin (empty unless given); any exit code resolves, only time rejects. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions & { readonly input?: string | Uint8Array; readonly timeoutMs?: number } = {},
): Promise<ProgramResult> {
  const program = startProgram(command, args, options)
  program.child.stdin?.end(options.input ?? '')
  const timeoutMs = options.timeoutMs ?? 15_000
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    killGroup(program.child)
  }, timeoutMs)
  const end = await program.ended
  clearTimeout(timer)
  if (isLate) {
    throw new Error(`${options.name ?? command}: not done within ${timeoutMs} ms; its output:\n${program.output()}`)
  }
  return { ...end, stdout: program.stdout(), stderr: program.stderr(), output: program.output() }
}

/** Whether a command is on PATH or where Debian keeps servers. */
export function isInstalled(command: string): boolean {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...systemPlaces]
  return places.some((place) => {
    try {
      accessSync(join(place, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The group, because a server's workers outlive a killed parent. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // already gone
  }
}
