/** Asks a running daemon over HTTP, on its socket or its port, and reads what it answers. */
import { realpath } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { printableLines } from '../../pki/der/text.ts'
import type { DaemonStatus } from '../admin/index.ts'
import { ControlError, type ControlPlace } from './control-place.ts'

/** The status as it came, and read. */
export interface ToldStatus {
  readonly status: DaemonStatus & { readonly at: Date }
  readonly json: Readonly<Record<string, unknown>>
}

export interface Told {
  readonly code: number
  readonly json: unknown
}

/**
 * Asks for the status, which also proves that the right daemon is there.
 *
 * @throws {@link ControlError} when nobody answers, somebody else does, or it runs with another configuration
 */
export async function askStatus(place: ControlPlace): Promise<ToldStatus> {
  const { code, json } = await askDaemon(place, 'GET', '/api/status', 10_000)
  if (code !== 200 || !isStatus(json)) {
    const found = code === 200 ? 'something else' : `HTTP ${code}`
    throw new ControlError('no-daemon', `what answers on ${place.name} does not tell a status: ${found}`, lookAtLog)
  }
  const status = reviveMoments(json) as unknown as ToldStatus['status']
  if (place.configFile !== undefined && !(await isSameFile(status.configFile, place.configFile))) {
    const message = `the daemon on ${place.name} runs with ${status.configFile}, not with ${place.configFile}`
    throw new ControlError('no-daemon', message, 'they share a store_dir or control_socket; give each its own')
  }
  return { status, json }
}

/**
 * Asks once and reads the JSON that comes.
 *
 * @throws {@link ControlError} when nobody answers in time, or what comes is no JSON
 */
export async function askDaemon(place: ControlPlace, method: string, path: string, timeoutMs: number): Promise<Told> {
  const { code, text } = await exchange(place, method, path, timeoutMs)
  try {
    return { code, json: JSON.parse(text, (_, value) => (typeof value === 'string' ? printableLines(value) : value)) }
  } catch (cause) {
    const message = `what answers on ${place.name} is not Staplewright, or failed: HTTP ${code}, ${text.split('\n')[0]}`
    throw new ControlError('no-daemon', message, lookAtLog, { cause })
  }
}

function exchange(
  place: ControlPlace,
  method: string,
  path: string,
  timeoutMs: number,
): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => reject(describeFailure(cause, place, timeoutMs))
    const heard = (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('error', fail)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= mostBytes) chunks.push(chunk)
        else asked.destroy(Object.assign(new Error(`more than ${mostBytes} bytes`), { code: 'TOO_MUCH' }))
      })
      response.on('end', () => resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    }
    const { at } = place
    const options = { method, agent: false, timeout: timeoutMs } as const
    const asked =
      'url' in at
        ? request(new URL(path, at.url), options, heard)
        : request({ ...options, socketPath: at.socketPath, path, headers: { host: 'localhost' } }, heard)
    asked.on('error', fail)
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('too late'), { code: 'TOO_LATE' })))
    asked.end()
  })
}

function describeFailure(cause: NodeJS.ErrnoException, { name }: ControlPlace, timeoutMs: number): ControlError {
  const [why, hint] = whyAndHint(cause, timeoutMs)
  return new ControlError('no-daemon', `no daemon answers on ${name}: ${why}`, hint, { cause })
}

function whyAndHint(cause: NodeJS.ErrnoException, timeoutMs: number): readonly [string, string] {
  switch (cause.code) {
    case 'ENOENT':
      return ['there is no such socket', 'start it; a relative store_dir begins at the working directory it runs in']
    case 'ECONNREFUSED':
      return ['nobody listens', 'start it: staplewright serve -c FILE']
    case 'EACCES':
    case 'EPERM':
      return ['permission denied', 'ask as the user that it runs as, or as root']
    case 'ECONNRESET':
    case 'EPIPE':
      return ['it ended before it had answered', lookAtLog]
    case 'TOO_LATE':
      return [`no answer within ${timeoutMs / 1_000} s`, lookAtLog]
    default:
      return [cause.message || String(cause.code), 'check the address']
  }
}

function isStatus(json: unknown): json is Record<string, unknown> {
  return (
    typeof json === 'object' && json !== null && 'phase' in json && 'staples' in json && Array.isArray(json.staples)
  )
}

/** Every moment of the status is text of one form, and no other text is called as moments are. */
function reviveMoments(json: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(json), (name, value) =>
    moments.has(name) && typeof value === 'string' ? new Date(value) : value,
  )
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  if (one === other) return true
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => undefined)))
  return first !== undefined && first === second
}

const lookAtLog = 'look at its log'
const mostBytes = 256 * 1024 * 1024
const moments = new Set([
  ...['at', 'startedAt', 'deadline', 'notAfter', 'unknownUntil', 'revocationTime'],
  ...['thisUpdate', 'nextUpdate', 'effectiveNextUpdate', 'withdrawAt', 'refreshAt', 'lastFetch'],
])
