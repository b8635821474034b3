/**
 * A door of the daemon's that must never harm the front: when it cannot be opened, that is said once, and it is tried
 * again in the background for as long as the daemon lives.
 */
import type { Clock } from '../../keep/clock.ts'
import type { Line } from '../journal/journal.ts'

export interface Door {
  /** Resolves when it is open or the first attempt failed; never rejects. */
  open(): Promise<void>
  close(): Promise<void>
}

export interface DoorOptions {
  readonly clock: Clock
  readonly say: (line: Line) => void
  /** What lines begin with. */
  readonly subject: string
  /** Opens it, or makes sure that it still is; rejects with an error whose message says why not. */
  readonly attempt: () => Promise<void>
  /** What does not work meanwhile, for the line that says that it failed. */
  readonly withoutIt: string
  /** Undoes what `attempt` did; called when none is under way. */
  readonly shut: () => Promise<void>
}

/** Creates a door that is looked after. */
export function createDoor({ clock, say, subject, attempt, withoutIt, shut }: DoorOptions): Door {
  let isClosed = false
  let said: string | undefined
  let underWay = Promise.resolve()
  let cancel = () => {}

  async function look(): Promise<void> {
    try {
      await attempt()
      said = undefined
    } catch (thrown) {
      const message = (thrown as Error).message
      if (message !== said && !isClosed) {
        const text = `${message}; ${withoutIt}. It is tried again every ${retryMs / 1_000} s, and the front is not affected`
        say({ level: 'warn', subject, text })
      }
      said = message
    }
    if (!isClosed) {
      cancel = clock.wake(retryMs, () => {
        underWay = look()
      })
    }
  }

  return {
    open() {
      underWay = look()
      return underWay
    },
    async close() {
      isClosed = true
      cancel()
      await underWay
      await shut().catch(() => {
        // It is closed as far as it can be, and what is left harms nobody.
      })
    },
  }
}

const retryMs = 30_000
