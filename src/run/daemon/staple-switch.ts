/**
 * The staples that the front serves, whichever keeper holds them: a reload that changes how staples are fetched or where
 * they rest makes a new keeper, and for a while both are asked.
 */
import type { Keeper, KeeperEvent } from '../../keep/keeper/index.ts'
import type { StapleSource } from '../../serve/terminator/index.ts'

export interface StapleSwitch extends StapleSource, Pick<Keeper, 'snapshot'> {
  /** Asks this one too, after those before it. Its events are told from now on. */
  add(keeper: Keeper): void
  /** Asks this one first. */
  prefer(keeper: Keeper): void
  remove(keeper: Keeper): void
}

/** Creates a switch on one keeper. */
export function createStapleSwitch(first: Keeper): StapleSwitch {
  let keepers: readonly Keeper[] = []
  const unsubscribes = new Map<Keeper, () => void>()
  const listeners = new Set<(event: KeeperEvent) => void>()

  function add(keeper: Keeper): void {
    keepers = [...keepers, keeper]
    unsubscribes.set(
      keeper,
      keeper.subscribe((event) => {
        for (const listener of listeners) listener(event)
      }),
    )
  }
  add(first)

  return {
    add,
    prefer(keeper) {
      keepers = [keeper, ...keepers.filter((each) => each !== keeper)]
    },
    remove(keeper) {
      keepers = keepers.filter((each) => each !== keeper)
      unsubscribes.get(keeper)?.()
      unsubscribes.delete(keeper)
    },
    servable(certificateKey) {
      const [preferred, ...others] = keepers as [Keeper, ...Keeper[]]
      const servable = preferred.servable(certificateKey)
      if (others.length === 0 || servable.stapleState !== 'missing') return servable
      return others.map((keeper) => keeper.servable(certificateKey)).find(isKnown) ?? servable
    },
    snapshot(certificateKey) {
      for (const keeper of keepers) {
        const snapshot = keeper.snapshot(certificateKey)
        if (snapshot && (keepers.length === 1 || isKnown(keeper.servable(certificateKey)))) return snapshot
      }
      return keepers[0]?.snapshot(certificateKey)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function isKnown({ stapleState }: { readonly stapleState: string }): boolean {
  return stapleState !== 'missing'
}
