/**
 * The addresses of a front with workers: tried by the primary before any worker binds them, so that what cannot be had
 * fails once and early, and a port that the system chose stays the same when workers come and go.
 */
import { StapleError } from '../../errors.ts'
import type { ListenAddress } from '../../serve/terminator/index.ts'
import { openListener } from '../../serve/terminator/listener.ts'

/** An address as the plan has it, and as it is bound. */
export interface BoundAddress {
  readonly wanted: ListenAddress
  readonly bound: ListenAddress
}

/**
 * Finds out what to bind for a plan: what is bound already stays as it is, each other address is bound and let go.
 *
 * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when one cannot be had
 */
export async function tryAddresses(
  listeners: readonly ListenAddress[],
  open: readonly BoundAddress[],
): Promise<readonly BoundAddress[]> {
  const staying = [...open]
  const addresses: BoundAddress[] = []
  for (const wanted of listeners) {
    const index = staying.findIndex((each) => isSame(each.wanted, wanted))
    const known = index < 0 ? undefined : staying.splice(index, 1)[0]
    // Node 24's cluster ends a worker that binds an address twice.
    if (addresses.some((each) => isSame(each.wanted, wanted) && wanted.port !== 0)) throw takenTwice(wanted)
    addresses.push(known ?? { wanted, bound: await tryAddress(wanted) })
  }
  return addresses
}

async function tryAddress({ host, port }: ListenAddress): Promise<ListenAddress> {
  const listener = await openListener(
    { host, port },
    (raw) => raw.destroy(),
    () => {},
  )
  listener.stop()
  return { host, port: listener.address.port }
}

function isSame(one: ListenAddress, other: ListenAddress): boolean {
  return one.host === other.host && one.port === other.port
}

function takenTwice({ host, port }: ListenAddress): StapleError {
  const detail = { address: `${host}:${port}`, networkCode: 'EADDRINUSE' }
  return new StapleError('ERR_TERMINATOR_LISTEN', `cannot listen on ${host}:${port} twice`, detail)
}
