/** One address that is listened on. It accepts and hands on; limits, TLS and relaying are elsewhere. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { StapleError } from '../../errors.ts'
import type { ListenAddress } from './options.ts'

export interface Listener {
  readonly address: AddressInfo
  /** Accepts nothing more; what is open goes on. */
  stop(): void
}

/**
 * Binds an address.
 *
 * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when it cannot be had
 */
export async function openListener(
  { host, port }: ListenAddress,
  accept: (raw: Socket) => void,
  failed: (error: NodeJS.ErrnoException) => void,
): Promise<Listener> {
  const server: Server = createServer({ noDelay: true }, accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
      const detail = { address: `${host}:${port}`, networkCode: cause.code }
      reject(new StapleError('ERR_TERMINATOR_LISTEN', `cannot listen on ${host}:${port}: ${why}`, detail, { cause }))
    })
    server.listen({ host, port, backlog }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', failed)
  return { address: server.address() as AddressInfo, stop: () => void server.close() }
}

/** Node's own is 511; the kernel caps it at somaxconn. A burst of clients after an outage should wait, not fail. */
const backlog = 4_096
