/**
 * Tells before anything is started whether the addresses can be had, so that a busy port is said at once and not
 * after the start has waited for a responder. The doors bind for good later; what changes between is reported then.
 */
import { createServer } from 'node:net'
import { StapleError } from '../../errors.ts'

/** Binds each address and lets it go. Throws `ERR_TERMINATOR_LISTEN` for the first that cannot be had. */
export async function probeListeners(
  listeners: readonly { readonly host: string; readonly port: number }[],
): Promise<void> {
  for (const { host, port } of listeners) {
    if (port === 0) continue
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
        const message = `cannot listen on ${host}:${port}: ${why}`
        reject(
          new StapleError(
            'ERR_TERMINATOR_LISTEN',
            message,
            { address: `${host}:${port}`, networkCode: cause.code },
            { cause },
          ),
        )
      })
      server.listen({ host, port }, () => server.close(() => resolve()))
    })
  }
}
