// Programs that a bench starts: on 127.0.0.1 and a free port, with their output kept for when they fail,
// and ended with the bench, also when it is interrupted.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const running = new Set()

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

/** A port on 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Start a program and wait until it accepts connections.
 *
 * @param {{ command: string, args: string[], env?: Record<string, string>, cwd?: string, port: number }} program
 * @returns {Promise<{ pid: number, stop(): Promise<void>, output(): string }>}
 */
export async function startServer({ command, args, env, cwd, port }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  const keep = (chunk) => {
    output = (output + chunk).slice(-8192)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let failure
  child.once('error', (error) => {
    failure = error
  })
  child.once('exit', () => running.delete(child))

  const deadline = Date.now() + 20_000
  while (!(await accepts(port))) {
    if (failure !== undefined) throw new Error(`${command} cannot be started: ${failure.message}`)
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} ended at once:\n${output}`)
    if (Date.now() > deadline) throw new Error(`${command} does not listen on port ${port} after 20 s:\n${output}`)
    await delay(50)
  }

  return {
    pid: child.pid,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const forced = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(forced)
    },
  }
}

/**
 * Start a program that is spoken with in lines.
 *
 * @returns {{ hear(): Promise<string>, say(line?: string): void, end(): Promise<void> }} `hear` resolves with the next
 *   line and rejects with the program's error output when none comes any more
 */
export function converse(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  const ended = once(child, 'close').finally(() => running.delete(child))
  ended.catch(() => {})
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  // Who writes to a program that has ended hears of it from `hear`.
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async hear() {
      const { value, done } = await lines.next()
      if (!done) return value
      const [code] = await ended
      throw new Error(`${path.basename(command)} ${args.join(' ')} ended with ${code}: ${errors}`)
    },
    say: (line = '') => child.stdin.write(`${line}\n`),
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

/** Run a program to its end and return what it wrote; rejects with its error output when it fails. */
export async function run(command, args, settings = {}) {
  const child = spawn(command, args, { ...settings, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const chunks = []
  let errors = ''
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'close')
  running.delete(child)
  const stdout = Buffer.concat(chunks).toString()
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors || stdout}`)
  return stdout
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
