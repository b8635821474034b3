/** The front asks one source, whichever keepers stand behind it. */
import { expect, test } from 'vitest'
import type { Keeper, KeeperEvent, Servable } from '../../../src/keep/keeper/index.ts'
import { createStapleSwitch } from '../../../src/run/daemon/staple-switch.ts'

const missing: Servable = { isRevoked: false, stapleState: 'missing' }
const holding = (byte: number): Servable => ({
  staple: Uint8Array.of(byte),
  certStatus: 'good',
  isRevoked: false,
  stapleState: 'fresh',
})

function fakeKeeper(held: Readonly<Record<string, Servable>>) {
  const listeners = new Set<(event: KeeperEvent) => void>()
  const keeper: Partial<Keeper> = {
    servable: (certificateKey) => held[certificateKey] ?? missing,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    keeper: keeper as Keeper,
    listeners,
    tell(certificateKey: string) {
      for (const listener of listeners) listener({ certificateKey } as KeeperEvent)
    },
  }
}

test('while two are asked, the preferred one answers for what it knows, the other for the rest', () => {
  const one = fakeKeeper({ a: holding(1), b: holding(1) })
  const two = fakeKeeper({ a: holding(2) })
  const staples = createStapleSwitch(one.keeper)
  expect(staples.servable('a')).toEqual(holding(1))
  staples.add(two.keeper)
  expect(staples.servable('a')).toEqual(holding(1))
  staples.prefer(two.keeper)
  expect(staples.servable('a')).toEqual(holding(2))
  expect(staples.servable('b')).toEqual(holding(1))
  staples.remove(one.keeper)
  expect(staples.servable('b')).toEqual(missing)
})

test('a revocation that the preferred one knows is not covered by a staple of the other', () => {
  const one = fakeKeeper({ a: holding(1) })
  const revoked: Servable = { isRevoked: true, stapleState: 'revoked' }
  const two = fakeKeeper({ a: revoked })
  const staples = createStapleSwitch(one.keeper)
  staples.add(two.keeper)
  staples.prefer(two.keeper)
  expect(staples.servable('a')).toEqual(revoked)
})

test('events are those of all that are asked, and of no others', () => {
  const one = fakeKeeper({})
  const two = fakeKeeper({})
  const staples = createStapleSwitch(one.keeper)
  const heard: unknown[] = []
  const unsubscribe = staples.subscribe((event) => heard.push(event.certificateKey))
  one.tell('from one')
  two.tell('before')
  staples.add(two.keeper)
  two.tell('from two')
  staples.remove(one.keeper)
  one.tell('after')
  unsubscribe()
  two.tell('unheard')
  expect(heard).toEqual(['from one', 'from two'])
  expect([one.listeners.size, two.listeners.size]).toEqual([0, 1])
})
