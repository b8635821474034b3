/**
 * The keeper as a configuration wants it: which store, which fetcher, how strict.
 *
 * The daemon keeps what it makes here for its whole life; the dry run (`serve -t`) makes one on memory and throws it away.
 */
import type { Clock } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import { createKeeper, type Keeper } from '../../keep/keeper/index.ts'
import { fileStore, memoryStore, type Store } from '../../keep/store/index.ts'
import type { Settings } from '../config/index.ts'

/** A keeper with what it stands on. */
export interface StapleKeeping {
  readonly keeper: Keeper
  /** Ends the keeper, then the fetcher and the store. */
  close(): Promise<void>
}

/** Creates the keeper of a configuration; it keeps nothing yet. */
export function createStapleKeeping(
  settings: Settings,
  clock: Clock,
  store: Store = chooseStore(settings),
): StapleKeeping {
  const { verify, fetch } = settings
  const fetcher = createFetcher({ clock, ...fetch, ...verify, maxStapleBytes: settings.keeper.maxStapleBytes })
  const keeper = createKeeper({ store, fetcher, clock, ...settings.keeper, ...verify })
  return {
    keeper,
    async close() {
      await keeper.close()
      await Promise.all([fetcher.close(), store.close()])
    },
  }
}

function chooseStore(settings: Settings): Store {
  return settings.storeDir === undefined ? memoryStore() : fileStore({ directory: settings.storeDir })
}
