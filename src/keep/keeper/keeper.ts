/**
 * The keeper's shell: it carries out what step.ts decides, and decides nothing about staples itself. It owns the timer;
 * store-side.ts and fetcher-side.ts bring what the orders ask for.
 */
import { randomInt } from 'node:crypto'
import { StapleError } from '../../errors.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { systemClock } from '../clock.ts'
import { watchClock } from './clock-watch.ts'
import type { EntryEvent } from './events.ts'
import { createFetcherSide } from './fetcher-side.ts'
import { createInterner } from './intern.ts'
import { createIssuers } from './issuers.ts'
import { decoded, describeLeaf, readWishes } from './kept-certificate.ts'
import { createListeners } from './listeners.ts'
import type { Occurrence, Order } from './occurrence.ts'
import { type Keeper, type KeeperOptions, type KeptEntry, resolveOptions } from './options.ts'
import { prepare } from './prepare.ts'
import { createQueue } from './queue.ts'
import { nothingServable } from './servable.ts'
import { createSlot, describeSlot, judgeSlot, labelOf, resolveWaiters, type Slot, wishesOf } from './slot.ts'
import { snapshotEntry } from './snapshot.ts'
import { step } from './step.ts'
import { createStoreSide } from './store-side.ts'
import { createWakes } from './wakes.ts'

/**
 * Creates a keeper: it loads, fetches, verifies, refreshes and withdraws the staples of all certificates added to it.
 *
 * It takes the store and the fetcher as they are and closes neither. Its timers do not keep the process alive.
 *
 * @throws TypeError when an option is missing or of the wrong type, naming it
 * @example Keep a certificate stapled
 * ```ts
 * const keeper = createKeeper({ store: fileStore({ directory: '/var/lib/staples' }), fetcher })
 * const { certificateKey } = keeper.add({ certificate: leafDer, issuerCandidates: [issuerDer] })
 * await keeper.settled(certificateKey)
 * const { staple } = keeper.servable(certificateKey)
 * ```
 */
export function createKeeper(options: KeeperOptions): Keeper {
  const { store, fetcher, clock = systemClock, random = chance } = options
  const { limits, policies } = resolveOptions(options)
  const slots = new Map<string, Slot>()
  const issuers = createIssuers()
  const interner = createInterner()
  const listeners = createListeners()
  const loads = createQueue(loadsAtOnce)
  const stepOfClock = watchClock(clock)
  let isClosed = false

  const storeSide = createStoreSide({ store, clock, verify, occur, tell })
  const noteIssuers = () => storeSide.saveNotes({ version: 1, issuers: issuers.note() })
  const fetcherSide = createFetcherSide({ fetcher, clock, issuers, interner, own, occur, tell, noteIssuers })
  const recalled = storeSide.loadNotes().then((notes) => issuers.recall(notes.issuers))
  const wakes = createWakes<Slot>({
    clock,
    look: judgeClock,
    wake: (slot) => advance(slot, { type: 'woken' }),
  })
  const unwatch = store.watch?.((certificateKey) => {
    const slot = slots.get(certificateKey)
    if (slot !== undefined) occur(slot, { type: 'store-changed' })
  })

  /** Something happened to one entry; but first, whether the hour is still what it seems. */
  function occur(slot: Slot, occurrence: Occurrence): void {
    judgeClock()
    advance(slot, occurrence)
  }

  function advance(slot: Slot, occurrence: Occurrence): void {
    if (isClosed || slot.isRemoved) return
    const { entry, orders } = step(slot.entry, occurrence, clock.now())
    slot.entry = entry
    slot.view = undefined
    for (const order of orders) carryOut(slot, order)
    resolveWaiters(slot, false)
  }

  function judgeClock(): void {
    const byMs = stepOfClock()
    if (byMs === 0 || isClosed) return
    listeners.tell({ type: 'clock-jumped', at: clock.now(), byMs })
    for (const slot of slots.values()) advance(slot, { type: 'clock-jumped', byMs })
  }

  function carryOut(slot: Slot, order: Order): void {
    switch (order.type) {
      case 'load':
        return enqueue(slot, () => storeSide.load(slot))
      case 'fetch':
        return void fetcherSide.fetch(slot, order.deadlineMs)
      case 'fetch-issuer':
        return void fetcherSide.fetchIssuer(slot)
      case 'save':
        return storeSide.save(slot, order.staple)
      case 'refuse-stored':
        return storeSide.refuse(slot, order.reason)
      case 'wake':
        return wakes.set(slot, order.at)
      case 'emit':
        return tell(slot, order.event)
    }
  }

  function tell(slot: Slot, event: EntryEvent): void {
    if (isClosed || slot.isRemoved) return
    if (event.type === 'save-failed' && !storeSide.isNews(slot, 'save', event.error)) return
    if (event.type === 'load-failed' && !storeSide.isNews(slot, 'load', event.error)) return
    if (listeners.isDeaf) return
    const at = clock.now()
    const { certificateKey } = slot.leaf
    listeners.tell({ ...event, certificateKey, label: labelOf(slot), at, entry: describeSlot(slot, at.getTime()) })
  }

  /** What costs more than a moment is done in turn, so that a thousand certificates do not stop the process. */
  function enqueue(slot: Slot, task: () => Promise<void>): void {
    loads(async () => {
      if (!slot.isRemoved && !isClosed) await task()
    })
  }

  function prepareSlot(slot: Slot): void {
    enqueue(slot, async () => {
      occur(slot, await prepare(slot, issuers, recalled))
      if (slot.refreshing !== undefined) occur(slot, { type: 'refresh-asked' })
    })
  }

  function verify(slot: Slot, bytes: Uint8Array): VerifiedOcspResponse {
    const { responderCertificate } = wishesOf(slot)
    const certificate = decodeCertificate(slot.leaf.der)
    const issuer = slot.issuer as Certificate
    const at = clock.now()
    return own(
      verifyOcspResponse(bytes, {
        ...policies,
        certificate,
        issuer,
        at,
        ...(responderCertificate && { responderCertificate }),
      }),
    )
  }

  /** What is kept of a response, as a copy that keeps nothing else alive: a whole HTTP body, say. */
  function own(response: VerifiedOcspResponse): VerifiedOcspResponse {
    const der = Buffer.allocUnsafeSlow(response.der.length)
    der.set(response.der)
    return { ...response, der, signer: { ...response.signer, name: interner.text(response.signer.name) } }
  }

  function slotOf(certificateKey: string): Slot {
    if (isClosed) throw closedError()
    const slot = slots.get(certificateKey)
    if (slot !== undefined) return slot
    const message = `the keeper does not know this certificate: ${certificateKey}`
    throw new StapleError('ERR_KEEPER_UNKNOWN_CERTIFICATE', message, { certificateKey })
  }

  function refresh(slot: Slot): Promise<void> {
    return new Promise((resolve) => {
      slot.refreshing = [...(slot.refreshing ?? []), resolve]
      occur(slot, { type: 'refresh-asked' })
    })
  }

  function settled(slot: Slot): Promise<void> {
    if (slot.entry.isSettled || slot.isRemoved || isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      slot.settling = [...(slot.settling ?? []), resolve]
    })
  }

  function remove(slot: Slot, wishes = slot.wishes[0]): void {
    const index = wishes ? slot.wishes.indexOf(wishes) : -1
    if (index < 0 || slot.isRemoved) return
    if (slot.wishes.length > 1) {
      slot.wishes.splice(index, 1)
      return prepareSlot(slot)
    }
    slots.delete(slot.leaf.certificateKey)
    storeSide.forget(slot)
    wakes.set(slot, undefined)
    slot.isRemoved = true
    if (slots.size === 0) wakes.stop()
    end(slot)
  }

  function end(slot: Slot): void {
    slot.underWay?.abort(closedError())
    resolveWaiters(slot, true)
  }

  return {
    add(kept) {
      if (isClosed) throw closedError()
      const leaf = describeLeaf(decoded(kept.certificate, 'certificate'), interner)
      const { certificateKey } = leaf
      const wishes = readWishes(kept, interner)
      const known = slots.get(certificateKey)
      const slot = known ?? createSlot(leaf, wishes, limits, Math.floor(random() * 2 ** 32))
      if (known) known.wishes.push(wishes)
      else slots.set(certificateKey, slot)
      if (slot.issuer === undefined) slot.candidates = [...slot.candidates, ...candidatesOf(kept)]
      wakes.start()
      prepareSlot(slot)
      return {
        certificateKey,
        servable: () => judgeSlot(slot, clock.now().getTime()),
        status: () => describeSlot(slot, clock.now().getTime()),
        settled: () => settled(slot),
        remove: () => remove(slot, wishes),
      } satisfies KeptEntry
    },
    remove(certificateKey) {
      const slot = slots.get(certificateKey)
      if (slot !== undefined) remove(slot)
    },
    servable(certificateKey) {
      const slot = slots.get(certificateKey)
      return slot === undefined ? nothingServable : judgeSlot(slot, clock.now().getTime())
    },
    snapshot(certificateKey) {
      const slot = slots.get(certificateKey)
      return slot && snapshotEntry(slot.entry)
    },
    entry(certificateKey) {
      const slot = slots.get(certificateKey)
      return slot && describeSlot(slot, clock.now().getTime())
    },
    entries() {
      const now = clock.now().getTime()
      return [...slots.values()].map((slot) => describeSlot(slot, now))
    },
    async refresh(certificateKey) {
      if (certificateKey !== undefined) return refresh(slotOf(certificateKey))
      if (isClosed) throw closedError()
      await Promise.all([...slots.values()].map(refresh))
    },
    async settled(certificateKey) {
      return settled(slotOf(certificateKey))
    },
    on: listeners.on,
    off: listeners.off,
    subscribe: listeners.subscribe,
    async close() {
      if (isClosed) return
      isClosed = true
      wakes.stop()
      unwatch?.()
      for (const slot of slots.values()) end(slot)
      await storeSide.idle()
    },
  }

  /** The leaf itself may stand in its bundle; it is kept already, and issues nothing. */
  function candidatesOf({ certificate, issuerCandidates = [] }: Parameters<Keeper['add']>[0]): Certificate[] {
    const leaf = derOf(certificate)
    return issuerCandidates
      .filter((each) => Buffer.compare(derOf(each), leaf) !== 0)
      .map((each) => issuers.intern(each))
  }
}

function derOf(certificate: Certificate | Uint8Array): Uint8Array {
  return ArrayBuffer.isView(certificate) ? certificate : certificate.der
}

function closedError(): StapleError {
  return new StapleError('ERR_KEEPER_CLOSED', 'the keeper is closed', {})
}

/** Only seeds: what is drawn from them spreads requests, and guards nothing. */
function chance(): number {
  return randomInt(2 ** 32) / 2 ** 32
}

const loadsAtOnce = 32
