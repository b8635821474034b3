/** One kept certificate in the shell: its entry, who keeps it, and what is under way for it. */
import type { Certificate } from '../../pki/x509/certificate.ts'
import { createEntry, type Entry, type Limits } from './entry.ts'
import type { LeafFacts, Wishes } from './kept-certificate.ts'
import type { Servable, View } from './servable.ts'
import { viewEntry } from './servable.ts'
import { describeEntry, type EntryStatus } from './status.ts'
import type { Sleeper } from './wakes.ts'

export interface Slot extends Sleeper {
  readonly leaf: LeafFacts
  /** One for each time it was added; the last one says how to ask. */
  readonly wishes: Wishes[]
  entry: Entry
  /** Where the issuer is looked for while it is not at hand. */
  candidates: readonly Certificate[]
  issuer: Certificate | undefined
  view: View | undefined
  /** Ends what is under way. */
  underWay: AbortController | undefined
  settling: (() => void)[] | undefined
  refreshing: (() => void)[] | undefined
  isRemoved: boolean
}

/** Creates the slot of a certificate that was just added. */
export function createSlot(leaf: LeafFacts, wishes: Wishes, limits: Limits, seed: number): Slot {
  const { notBefore, notAfter } = leaf
  return {
    leaf,
    wishes: [wishes],
    entry: createEntry({ limits, notBefore, notAfter, isRequired: wishes.isRequired, seed }),
    candidates: [],
    issuer: undefined,
    view: undefined,
    underWay: undefined,
    settling: undefined,
    refreshing: undefined,
    isRemoved: false,
    wakeAt: undefined,
    heapIndex: -1,
  }
}

/** How to ask, as the last of those who added it wants it; required when it is for any of them. */
export function wishesOf({ wishes }: Slot): Wishes {
  const last = wishes.at(-1) as Wishes
  const isRequired = wishes.some((each) => each.isRequired)
  return isRequired === last.isRequired ? last : { ...last, isRequired }
}

/** Whom to ask, in order. */
export function responderURLsOf(slot: Slot): readonly string[] {
  return slot.wishes.at(-1)?.responderURLs ?? slot.leaf.ownURLs
}

export function labelOf({ leaf, wishes }: Slot): string {
  return wishes.findLast((each) => each.label !== undefined)?.label ?? leaf.subject
}

export function describeSlot(slot: Slot, now: number): EntryStatus {
  const kept = { ...slot.leaf, label: labelOf(slot), responderURLs: responderURLsOf(slot) }
  return describeEntry(kept, slot.entry, now)
}

/** What may be sent now. Handshakes ask this: the judgement is kept until a moment at which it may change. */
export function judgeSlot(slot: Slot, now: number): Servable {
  let { view } = slot
  if (view === undefined || now < view.from || now >= view.until) {
    view = viewEntry(slot.entry, now)
    slot.view = view
  }
  return view.servable
}

/** Resolves those who wait, where what they wait for has come. */
export function resolveWaiters(slot: Slot, isOver: boolean): void {
  const { entry } = slot
  if (slot.settling !== undefined && (entry.isSettled || isOver)) {
    const waiting = slot.settling
    slot.settling = undefined
    for (const resolve of waiting) resolve()
  }
  if (slot.refreshing !== undefined && (isOver || (entry.isPrepared && !entry.isAsking && !entry.isLoading))) {
    const waiting = slot.refreshing
    slot.refreshing = undefined
    for (const resolve of waiting) resolve()
  }
}
