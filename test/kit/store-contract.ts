/** The one suite that every store passes; what a kind of store can do beyond it is tested beside that kind. */
import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/keep/store/store.ts'
import { endsWithTest } from './lifetime.ts'

/** One store on its way through the suite. */
export interface StoreUnderTest {
  readonly store: Store
  /** Another store over the same place, as after a restart or in another process; absent when nothing lasts. */
  reopen?(): Store
  /** Puts a staple there as another program would. */
  putBehindItsBack?(certificateKey: string, staple: Uint8Array): Promise<void>
}

/** What a kind of store can do: it is held to it, and to not claiming the rest. */
export interface StoreAbilities {
  /** What it holds survives a restart. */
  readonly lasts: boolean
  /** It notices what another writer puts there. */
  readonly watches: boolean
}

/** Runs the contract of `Store` against what `create` makes, anew for each test. */
export function describeStoreContract(
  name: string,
  abilities: StoreAbilities,
  create: () => StoreUnderTest | Promise<StoreUnderTest>,
): void {
  describe(`${name}, as any store`, () => {
    const opened = async () => {
      const under = await create()
      endsWithTest(() => under.store.close())
      return under
    }

    test('finds nothing where nothing was saved', async () => {
      const { store } = await opened()
      expect(await store.load(keyA)).toBeUndefined()
    })

    test('loads byte for byte what was saved', async () => {
      const { store } = await opened()
      await store.save(keyA, bytes)
      expect(await loadPlain(store, keyA)).toEqual(bytes)
    })

    test('keeps staples of different certificates apart', async () => {
      const { store } = await opened()
      await store.save(keyA, Uint8Array.of(1))
      await store.save(keyB, Uint8Array.of(2))
      expect([await store.load(keyA), await store.load(keyB)].map((each) => each?.[0])).toEqual([1, 2])
    })

    test('replaces the staple before', async () => {
      const { store } = await opened()
      await store.save(keyA, bytes)
      await store.save(keyA, Uint8Array.of(7))
      expect(await loadPlain(store, keyA)).toEqual(Uint8Array.of(7))
    })

    test('lets the last of many saves at once win', async () => {
      const { store } = await opened()
      await Promise.all(Array.from({ length: 20 }, (_, index) => store.save(keyA, Uint8Array.of(index))))
      expect(await loadPlain(store, keyA)).toEqual(Uint8Array.of(19))
    })

    test('holds its own copy: a buffer changed after the save changes nothing', async () => {
      const { store } = await opened()
      const staple = Uint8Array.of(1, 2, 3)
      await store.save(keyA, staple)
      staple[0] = 9
      const loaded = await store.load(keyA)
      expect(plain(loaded)).toEqual(Uint8Array.of(1, 2, 3))
      if (loaded) loaded[0] = 8
      expect(await loadPlain(store, keyA)).toEqual(Uint8Array.of(1, 2, 3))
    })

    test('no longer finds a refused staple, and takes a new one', async () => {
      const { store } = await opened()
      await store.save(keyA, bytes)
      await store.refuse(keyA, 'its signature does not verify')
      expect(await store.load(keyA)).toBeUndefined()
      await store.save(keyA, Uint8Array.of(5))
      expect(await loadPlain(store, keyA)).toEqual(Uint8Array.of(5))
    })

    test('refuses what is not there without complaint', async () => {
      const { store } = await opened()
      await expect(store.refuse(keyA, 'gone already')).resolves.toBeUndefined()
    })

    test('has no notes at first, and then those last saved', async () => {
      const { store } = await opened()
      expect(await store.loadNotes()).toEqual({})
      await store.saveNotes({ version: 1 })
      await store.saveNotes({ version: 2, nested: { text: 'ü' } })
      expect(await store.loadNotes()).toEqual({ version: 2, nested: { text: 'ü' } })
    })

    test.each(['', 'A'.repeat(64), 'a'.repeat(63), '../'.padEnd(64, 'a'), `${'a'.repeat(64)}\n`])(
      'takes nothing but a certificateKey for a name: %j',
      async (name) => {
        const { store } = await opened()
        await expect(store.load(name)).rejects.toThrow(TypeError)
        await expect(store.save(name, bytes)).rejects.toThrow(TypeError)
        await expect(store.refuse(name, 'x')).rejects.toThrow(TypeError)
      },
    )

    test('rejects with ERR_STORE_CLOSED after close, and finishes what was being saved before it', async () => {
      const { store, reopen } = await create()
      const saving = store.save(keyA, bytes)
      await store.close()
      await saving
      for (const late of [store.load(keyA), store.save(keyA, bytes), store.refuse(keyA, 'x'), store.saveNotes({})]) {
        await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
      }
      if (!reopen) return
      const again = reopen()
      endsWithTest(() => again.close())
      expect(await loadPlain(again, keyA)).toEqual(bytes)
    })

    if (abilities.lasts) {
      test('finds staples and notes again after a restart', async () => {
        const { store, reopen } = await opened()
        await store.save(keyA, bytes)
        await store.saveNotes({ kept: true })
        await store.close()
        const again = reopen?.() as Store
        endsWithTest(() => again.close())
        expect(await loadPlain(again, keyA)).toEqual(bytes)
        expect(await again.loadNotes()).toEqual({ kept: true })
      })
    }

    if (!abilities.watches) {
      test('offers no watch, so that nobody waits for it', async () => {
        const { store } = await opened()
        expect(store.watch).toBeUndefined()
      })
      return
    }

    test('reports what another writer puts there, and not its own saves', async () => {
      const { store, putBehindItsBack } = await opened()
      const seen: string[] = []
      let noticed = () => {}
      const unwatch = store.watch?.((certificateKey) => {
        seen.push(certificateKey)
        noticed()
      })
      await store.save(keyA, bytes)
      const noticing = new Promise<void>((resolve) => {
        noticed = resolve
      })
      await putBehindItsBack?.(keyB, bytes)
      await noticing
      unwatch?.()
      expect(new Set(seen)).toEqual(new Set([keyB]))
    })
  })
}

export const keyA = 'a'.repeat(64)
export const keyB = 'b'.repeat(64)

const bytes = Uint8Array.from({ length: 2_000 }, (_, index) => index % 251)

/** A store may return a Buffer, which vitest does not take for equal to the same bytes. */
export function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes)
}

async function loadPlain(store: Store, certificateKey: string): Promise<Uint8Array | undefined> {
  return plain(await store.load(certificateKey))
}
