/** The shell towards the store: loads and verifies, saves, sets aside; each ends in an occurrence. */
import type { StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Clock } from '../clock.ts'
import type { Store } from '../store/index.ts'
import type { EntryEvent } from './events.ts'
import { createFaults } from './faults.ts'
import type { Occurrence } from './occurrence.ts'
import { within } from './queue.ts'
import type { Slot } from './slot.ts'
import { asStapleError, judgeFault } from './stored.ts'

export interface StoreSideOptions {
  readonly store: Store
  readonly clock: Clock
  readonly verify: (slot: Slot, bytes: Uint8Array) => VerifiedOcspResponse
  readonly occur: (slot: Slot, occurrence: Occurrence) => void
  readonly tell: (slot: Slot, event: EntryEvent) => void
}

export interface StoreSide {
  load(slot: Slot): Promise<void>
  save(slot: Slot, staple: Uint8Array): void
  refuse(slot: Slot, reason: string): void
  loadNotes(): Promise<Record<string, unknown>>
  saveNotes(notes: Record<string, unknown>): void
  /** Whether a failure of the store is worth telling: not when another certificate met the same. */
  isNews(slot: Slot, kind: 'load' | 'save', error: StapleError): boolean
  /** The certificate is no longer kept. */
  forget(slot: Slot): void
  /** Waits for what is being saved, but no longer than a store may take. */
  idle(): Promise<void>
}

/** Creates the side of the shell that faces one store. */
export function createStoreSide({ store, clock, verify, occur, tell }: StoreSideOptions): StoreSide {
  const faults = { load: createFaults(), save: createFaults() }
  const saving = new Set<Promise<void>>()

  const track = (promise: Promise<void>) => {
    const tracked = promise.finally(() => saving.delete(tracked))
    saving.add(tracked)
  }

  return {
    async load(slot) {
      const { certificateKey } = slot.leaf
      try {
        const bytes = await within(clock, patienceMs, store.load(certificateKey), () => new Error('no answer in 5 s'))
        faults.load.mend(certificateKey)
        occur(slot, { type: 'loaded', response: bytes && verify(slot, bytes) })
      } catch (thrown) {
        const error = asStapleError(thrown, 'ERR_STORE_READ', certificateKey)
        occur(slot, { type: 'load-failed', fault: judgeFault(error), error })
      }
    },
    save(slot, staple) {
      const { certificateKey } = slot.leaf
      const saved = store.save(certificateKey, staple).then(
        () => {
          occur(slot, { type: 'saved', staple })
          if (faults.save.mend(certificateKey)) tell(slot, { type: 'save-recovered' })
        },
        (thrown) => {
          const error = asStapleError(thrown, 'ERR_STORE_WRITE', certificateKey)
          occur(slot, { type: 'save-failed', staple, error })
        },
      )
      track(saved)
    },
    refuse(slot, reason) {
      const { certificateKey } = slot.leaf
      const refused = store.refuse(certificateKey, reason).catch((thrown) => {
        tell(slot, { type: 'save-failed', error: asStapleError(thrown, 'ERR_STORE_WRITE', certificateKey) })
      })
      track(refused)
    },
    loadNotes: () =>
      within(clock, patienceMs, store.loadNotes(), () => new Error('no answer in 5 s')).catch(() => ({})),
    saveNotes: (notes) => track(store.saveNotes(notes).catch(() => {})),
    isNews: (slot, kind, error) => faults[kind].isNews(slot.leaf.certificateKey, error),
    forget({ leaf: { certificateKey } }) {
      faults.load.mend(certificateKey)
      faults.save.mend(certificateKey)
    },
    idle: () => within(clock, patienceMs, Promise.all(saving), () => undefined).then(ignore, ignore),
  }
}

function ignore(): void {}

/** A store on a network file system may hang; what it has is then fetched. */
const patienceMs = 5_000
