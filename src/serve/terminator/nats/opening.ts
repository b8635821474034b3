/**
 * How a NATS connection begins: who speaks first, and whether INFO is sent before TLS or inside it.
 *
 * A client socket comes in unread and goes out unread: what had to be looked at is put back, and tls.Server takes it from
 * there. Whether what comes is TLS at all is for that server to say.
 *
 * @see nats-server's `handshake_first`: false, true, a duration, `auto` (50 ms)
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../../keep/clock.ts'
import type { NatsOptions } from '../options.ts'
import type { NatsBackend } from './backend.ts'
import { formatInfo, type InfoRewriting } from './info.ts'

export interface OpeningOptions {
  readonly handshake: NatsOptions['handshake']
  readonly rewriting: InfoRewriting
  readonly clock: Clock
  /** Connects to a backend and reads its INFO (backend.ts). The client has named no site yet. */
  dial(): Promise<NatsBackend>
}

/** What TLS begins with. */
export interface Opened {
  /** Absent: none was needed yet. */
  readonly backend?: NatsBackend
  /** INFO was sent in clear; if not, it is to be sent inside TLS ({@link greet}). */
  readonly isGreeted: boolean
}

/**
 * Does what comes before TLS with a client that nobody has read from.
 *
 * The client may be destroyed when this resolves. Until a relay has both sockets, the caller ends one with the other.
 *
 * @throws what `dial` throws; the client is left open
 */
export async function openNatsClient(client: Socket, options: OpeningOptions): Promise<Opened> {
  const { handshake, rewriting, clock, dial } = options
  if (handshake === 'first') return { isGreeted: false }
  const isWaiting = handshake !== 'after-info'
  if (isWaiting && (await hasSpoken(client, handshake.waitMs, clock))) return { isGreeted: false }
  const backend = await dial()
  // A client that began while the backend was asked would take INFO for a broken ServerHello.
  if (client.destroyed || client.readableLength > 0) return { backend, isGreeted: false }
  greet(client, backend, rewriting)
  return { backend, isGreeted: true }
}

/** Sends the backend's INFO as the front's own. */
export function greet(client: Socket, { info }: NatsBackend, rewriting: InfoRewriting): void {
  client.write(formatInfo(info, rewriting))
}

/** Waits for the client's first byte; false when none came in time. Bytes are put back. */
function hasSpoken(client: Socket, waitMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (spoke: boolean) => {
      cancel()
      client.off('data', onData)
      client.off('end', onEnd)
      client.off('close', onEnd)
      client.pause()
      resolve(spoke)
    }
    const onData = (chunk: Buffer) => {
      finish(true)
      client.unshift(chunk)
    }
    const onEnd = () => {
      finish(true)
      client.destroy()
    }
    const cancel = clock.wake(waitMs, () => finish(false))
    // Stays on: a reset in the very moment of handing over must find a listener.
    client.on('error', ignore)
    client.on('data', onData)
    client.on('end', onEnd)
    client.on('close', onEnd)
  })
}

/** 'close' follows every 'error' and does the cleaning up. */
function ignore(): void {}
