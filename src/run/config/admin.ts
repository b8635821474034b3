/**
 * Where the daemon can be asked about itself: the HTTP port and the Unix socket.
 *
 * The socket's path is made of the configuration alone, never of a port or a process, so that `staplewright status -c FILE`
 * finds the daemon that was started with FILE.
 */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { isGiven, look } from './block.ts'
import * as keys from './keys.ts'
import type { Report } from './report.ts'
import type { AdminSettings, ListenerSettings, LoadOptions } from './settings.ts'
import type { Block } from './type.ts'

/** What fits into Linux's sockaddr_un beside its final zero. */
const maxSocketBytes = 107

export interface AdminReading {
  readonly file: string
  readonly storeDir: string | undefined
  readonly listeners: readonly ListenerSettings[]
  readonly options: LoadOptions
  readonly report: Report
}

/** Reads `http`, `http_port` and `control_socket`. */
export function readAdmin(block: Block, reading: AdminReading): AdminSettings {
  const http = readHttp(block, reading)
  const socket = readSocket(block, reading)
  return { ...(http && { http }), socket }
}

function readHttp(block: Block, { listeners, report }: AdminReading): ListenerSettings | undefined {
  const http = look(block, keys.http)
  const port = look(block, keys.httpPort)
  if (http && port) report.note(port.at, 'http_port', 'has no effect here: `http` counts')
  if (isGiven(block, keys.http) && http === undefined) return undefined
  const given = http ?? port
  if (given === undefined || given.value === 'none') return undefined
  const address = typeof given.value === 'number' ? { host: '127.0.0.1', port: given.value } : given.value
  const isTaken = listeners.some((each) => each.port !== 0 && each.host === address.host && each.port === address.port)
  if (!isTaken) return address
  return report.refuse(given.at, http ? 'http' : 'http_port', {
    summary: 'is an address of `listen` too',
    found: `${address.host}:${address.port}`,
    expected: 'an address of its own',
    hint: 'choose another port',
  })
}

function readSocket(block: Block, { file, storeDir, options, report }: AdminReading): string {
  const given = look(block, keys.controlSocket)
  if (given === undefined) {
    const inStore = storeDir === undefined ? undefined : join(storeDir, 'staplewright.sock')
    if (inStore !== undefined && Buffer.byteLength(inStore) <= maxSocketBytes) return inStore
    return resolve(runtimeDirectory(options.environment), `${digest(file)}.sock`)
  }
  const path = resolve(options.workingDirectory, given.value)
  const bytes = Buffer.byteLength(path)
  if (bytes <= maxSocketBytes) return path
  report.refuse(given.at, 'control_socket', {
    summary: 'is too long for the path of a Unix socket',
    found: `${path}: ${bytes} bytes`,
    expected: `an absolute path of at most ${maxSocketBytes} bytes`,
    hint: 'choose a shorter one, such as "/run/staplewright/front.sock"',
  })
  return path
}

/** Root's does not depend on how root logged in: a service and a shell mean the same. */
function runtimeDirectory(environment: LoadOptions['environment']): string {
  const user = process.getuid?.() ?? 0
  if (user === 0) return '/run/staplewright'
  const runtime = environment.XDG_RUNTIME_DIR
  return runtime?.startsWith('/') ? join(runtime, 'staplewright') : `/tmp/staplewright-${user}`
}

function digest(file: string): string {
  return createHash('sha256').update(file).digest('hex').slice(0, 12)
}
