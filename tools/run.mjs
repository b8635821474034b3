/** Starts programs for the tools beside this file: quietly, with their output kept for when they fail. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The checkout's root. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Ends the tool with a message a person can act on. */
export class SetupError extends Error {}

/** Says one line about what is being done; on stderr, so that a job's own output stays clean. */
export function say(line) {
  process.stderr.write(`staplewright: ${line}\n`)
}

/**
 * Runs a program to its end without showing its output.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @throws {SetupError} with everything the program printed, when it fails
 */
export function runQuietly(program, args, options = {}) {
  const ended = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26, ...options })
  if (ended.status === 0) return ended.stdout
  const output = `${ended.stdout ?? ''}${ended.stderr ?? ''}`.replace(/\nnpm error Usage:[^]*/, '').trim()
  const ending = ended.error?.message ?? (ended.signal ? `ended by ${ended.signal}` : `exit code ${ended.status}`)
  throw new SetupError(`${[program, ...args].join(' ')}: ${ending}${output ? `\n${output}` : ''}`)
}

/**
 * Runs a program on this terminal and passes signals on to it.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} its exit code; 128 and the signal's number when a signal ended it
 */
export function runHere(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options })
    // A terminal's Ctrl-C reaches the child by itself; this process only has to outlive it.
    const outlive = () => {}
    const passOn = (signal) => child.kill(signal)
    process.on('SIGINT', outlive)
    process.on('SIGTERM', passOn)
    process.on('SIGHUP', passOn)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', outlive)
      process.off('SIGTERM', passOn)
      process.off('SIGHUP', passOn)
      resolve(code ?? 128 + (signalNumbers[signal] ?? 0))
    })
  })
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }
