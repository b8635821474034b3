/**
 * The addresses a terminator listens on, as a reload changes them: new ones are bound beside the old ones, and wait;
 * those that stay are never closed; those that go are closed at the swap.
 */
import type { AddressInfo, Socket } from 'node:net'
import { type Listener, openListener } from './listener.ts'
import type { ListenAddress } from './options.ts'

export interface Doors {
  /**
   * Binds those addresses that are not bound yet. What they accept waits for the commit.
   *
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when one cannot be had; none of them stays bound then
   */
  prepare(addresses: readonly ListenAddress[]): Promise<PreparedDoors>
  addresses(): readonly AddressInfo[]
  /** Accepts nothing more. */
  stop(): void
}

export interface PreparedDoors {
  /** @returns where it listens, in the order of the addresses */
  commit(): readonly AddressInfo[]
  abort(): void
}

export interface DoorsOptions {
  accept(raw: Socket): void
  failed(address: ListenAddress, error: NodeJS.ErrnoException): void
}

/** Creates a house without doors. */
export function createDoors({ accept, failed }: DoorsOptions): Doors {
  let open: readonly Door[] = []

  async function bind(address: ListenAddress): Promise<Door> {
    const door: Door = { address, waiting: [], listener: undefined as unknown as Listener }
    const take = (raw: Socket) => {
      if (door.waiting === undefined) accept(raw)
      else door.waiting.push(raw)
    }
    Object.assign(door, { listener: await openListener(address, take, (error) => failed(address, error)) })
    return door
  }

  return {
    async prepare(addresses) {
      const staying = [...open]
      const outcomes = await Promise.allSettled(addresses.map((address) => takeSame(staying, address) ?? bind(address)))
      const doors = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      const fresh = doors.filter((door) => !open.includes(door))
      const abort = () => {
        for (const door of fresh) shut(door)
      }
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failure) {
        abort()
        throw failure.reason
      }
      return {
        abort,
        commit() {
          for (const door of open) if (!doors.includes(door)) door.listener.stop()
          open = doors
          for (const door of fresh) {
            const { waiting = [] } = door
            door.waiting = undefined
            for (const raw of waiting) accept(raw)
          }
          return open.map((door) => door.listener.address)
        },
      }
    },
    addresses: () => open.map((door) => door.listener.address),
    stop() {
      for (const door of open) door.listener.stop()
    },
  }
}

interface Door {
  /** As it was asked for: port 0 stays 0. */
  readonly address: ListenAddress
  readonly listener: Listener
  /** Accepted before the commit; undefined after it. */
  waiting: Socket[] | undefined
}

/** Takes a door of that address out of the list. */
function takeSame(doors: Door[], { host, port }: ListenAddress): Door | undefined {
  const index = doors.findIndex(({ address }) => address.host === host && address.port === port)
  return index < 0 ? undefined : doors.splice(index, 1)[0]
}

function shut({ listener, waiting = [] }: Door): void {
  listener.stop()
  for (const raw of waiting) raw.destroy()
}
