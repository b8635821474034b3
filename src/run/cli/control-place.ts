/** Where a running daemon is asked: the socket that a configuration names, one that is given, or its HTTP port. */
import { connect } from 'node:net'
import { resolve } from 'node:path'
import { listRuntimeSockets, readSocketPath } from '../config/socket-path.ts'
import type { Io } from './io.ts'

export interface PlaceArguments {
  readonly config?: string
  readonly socket?: string
  readonly url?: string
}

export interface ControlPlace {
  /** Absolute path of a Unix socket, or an `http:` URL without a path. */
  readonly at: { readonly socketPath: string } | { readonly url: URL }
  /** How it is called in messages. */
  readonly name: string
  /** The configuration that the daemon there must run with. */
  readonly configFile?: string
}

/** Somebody has to be told what to write instead, or what to look at. */
export class ControlError extends Error {
  readonly hint: string
  /** `usage`: of the command line. `no-daemon`: nobody answers there. */
  readonly kind: 'usage' | 'no-daemon'

  constructor(kind: ControlError['kind'], message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.hint = hint
  }
}

/**
 * Finds the place. Without a word about it: the only socket in the runtime directory.
 *
 * @throws {@link ControlError} when the words contradict each other or say too little
 * @throws {@link StapleError} `ERR_CONFIG_READ` when the configuration cannot be read
 */
export async function findControlPlace({ config, socket, url }: PlaceArguments, io: Io): Promise<ControlPlace> {
  const options = { environment: io.environment, workingDirectory: io.workingDirectory }
  if ([config, socket, url].filter((each) => each !== undefined).length > 1) {
    throw new ControlError('usage', '-c, --socket and --url stand beside each other', 'give one of them')
  }
  if (url !== undefined) return { at: { url: parseUrl(url) }, name: url }
  if (socket !== undefined) return onSocket(resolve(io.workingDirectory, socket))
  if (config !== undefined) {
    const path = await readSocketPath(config, options)
    return { ...onSocket(path), configFile: resolve(io.workingDirectory, config) }
  }
  const [first, ...others] = await heardOf(await listRuntimeSockets(options))
  if (first === undefined) {
    throw new ControlError(
      'no-daemon',
      'which daemon? Only one without a store_dir is found by itself, and none runs for this user',
      nameConfig,
    )
  }
  if (others.length === 0) return onSocket(first)
  throw new ControlError('usage', `there is more than one: ${[first, ...others].join(', ')}`, nameConfig)
}

/** A daemon that was killed leaves its socket behind. Of several, those count on which somebody listens. */
async function heardOf(sockets: readonly string[]): Promise<readonly string[]> {
  if (sockets.length < 2) return sockets
  const heard = await Promise.all(sockets.map(isHeard))
  return sockets.filter((_, index) => heard[index])
}

function isHeard(path: string): Promise<boolean> {
  return new Promise((resolved) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolved(true)
    })
    // One that this user may not ask is there all the same.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolved(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

function onSocket(socketPath: string): ControlPlace {
  return { at: { socketPath }, name: socketPath }
}

function parseUrl(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url?.protocol === 'http:' && url.pathname === '/' && url.search === '') return url
  const hint = 'write it as http://127.0.0.1:8222, where `http` of the configuration listens'
  throw new ControlError('usage', `--url "${written}" is not the address of an admin port`, hint)
}

const nameConfig = 'name the configuration that it was started with: -c FILE'
