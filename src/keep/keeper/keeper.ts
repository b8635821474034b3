/**
 * The keeper's shell: it carries out what step.ts decides. It owns the timer, asks the fetcher, reads and writes the
 * store, and tells what happened; it decides nothing about staples.
 */
import { randomInt } from 'node:crypto'
import { isStapleError, StapleError } from '../../errors.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { systemClock } from '../clock.ts'
import { watchClock, watchResponders } from './clock-watch.ts'
import type { Limits } from './entry.ts'
import type { EntryEvent } from './events.ts'
import { createFaults } from './faults.ts'
import { createInterner } from './intern.ts'
import { createIssuers, explainSelfSigned } from './issuers.ts'
import { decoded, describeLeaf, explainUnsupported, readWishes } from './kept-certificate.ts'
import { createListeners } from './listeners.ts'
import type { Occurrence, Order } from './occurrence.ts'
import { type Keeper, type KeeperOptions, type KeptEntry, resolveOptions } from './options.ts'
import { createQueue, within } from './queue.ts'
import { nothingServable } from './servable.ts'
import {
  createSlot,
  describeSlot,
  judgeSlot,
  labelOf,
  resolveWaiters,
  responderURLsOf,
  type Slot,
  wishesOf,
} from './slot.ts'
import { step } from './step.ts'
import { asStapleError, judgeFault } from './stored.ts'
import { createWakes } from './wakes.ts'

/**
 * Creates a keeper: it loads, fetches, verifies, refreshes and withdraws the staples of all certificates added to it.
 *
 * It takes the store and the fetcher as they are and closes neither. Its timers do not keep the process alive.
 *
 * @throws TypeError when an option is missing or of the wrong type, naming it
 * @example Keep a certificate stapled
 * const keeper = createKeeper({ store: fileStore({ directory: '/var/lib/staples' }), fetcher })
 * const { certificateKey } = keeper.add({ certificate: leafDer, issuerCandidates: [issuerDer] })
 * await keeper.settled(certificateKey)
 * const { staple } = keeper.servable(certificateKey)
 */
export function createKeeper(options: KeeperOptions): Keeper {
  const { store, fetcher, clock = systemClock, random = chance } = options
  const { limits, policies } = resolveOptions(options)
  const slots = new Map<string, Slot>()
  const issuers = createIssuers()
  const interner = createInterner()
  const listeners = createListeners()
  const loadFaults = createFaults()
  const saveFaults = createFaults()
  const loads = createQueue(loadsAtOnce)
  const saving = new Set<Promise<void>>()
  const stepOfClock = watchClock(clock)
  const suspectOf = watchResponders()
  const recalled = within(clock, patienceMs, store.loadNotes(), () => new Error('too slow')).then(
    (notes) => issuers.recall(notes.issuers),
    () => {},
  )
  let isClosed = false

  const wakes = createWakes<Slot>({
    clock,
    look: () => judgeClock(),
    wake: (slot) => advance(slot, { type: 'woken' }),
  })
  const unwatch = store.watch?.((certificateKey) => {
    const slot = slots.get(certificateKey)
    if (slot !== undefined) occur(slot, { type: 'store-changed' })
  })

  /** Something happened to one entry; but first, whether the hour is still what it seems. */
  function occur(slot: Slot, occurrence: Occurrence): void {
    if (isClosed || slot.isRemoved) return
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
        return loads(() => load(slot))
      case 'fetch':
        return void fetch(slot, order.deadlineMs)
      case 'fetch-issuer':
        return void fetchIssuer(slot)
      case 'save':
        return save(slot, order.staple)
      case 'refuse-stored':
        return refuseStored(slot, order.reason)
      case 'wake':
        return wakes.set(slot, order.at)
      case 'emit':
        return tell(slot, order.event)
    }
  }

  function tell(slot: Slot, event: EntryEvent): void {
    const { certificateKey } = slot.leaf
    if (event.type === 'save-failed' && !saveFaults.isNews(certificateKey, event.error)) return
    if (event.type === 'load-failed' && !loadFaults.isNews(certificateKey, event.error)) return
    if (listeners.isDeaf) return
    const at = clock.now()
    listeners.tell({ ...event, certificateKey, label: labelOf(slot), at, entry: describeSlot(slot, at.getTime()) })
  }

  /** Finds out what there is to ask, and whom; what it costs is paid in turn, not by whoever adds a thousand. */
  async function prepare(slot: Slot): Promise<void> {
    if (slot.isRemoved || isClosed) return
    const wishes = wishesOf(slot)
    const { isRequired } = wishes
    let unsupportedReason = explainUnsupported(slot.leaf, wishes)
    let issuerError: StapleError | undefined
    if (slot.issuer === undefined && !slot.leaf.noRevAvail) {
      const leaf = decodeCertificate(slot.leaf.der)
      slot.issuer = issuers.find(leaf, slot.candidates)
      if (slot.issuer === undefined) {
        await recalled
        slot.issuer = issuers.find(leaf, [])
      }
      if (slot.issuer !== undefined) slot.candidates = []
      else if (unsupportedReason === undefined) {
        unsupportedReason = explainSelfSigned(leaf)
        if (unsupportedReason === undefined && leaf.extensions.caIssuersURLs.length === 0) {
          issuerError = noIssuer(slot)
          unsupportedReason = 'its issuer is not among the certificates at hand, and it names no caIssuers address'
        }
      }
    }
    occur(slot, { type: 'prepared', isRequired, unsupportedReason, issuerError, hasIssuer: slot.issuer !== undefined })
    if (slot.refreshing !== undefined) occur(slot, { type: 'refresh-asked' })
  }

  async function load(slot: Slot): Promise<void> {
    const { certificateKey } = slot.leaf
    if (slot.isRemoved || isClosed) return
    try {
      const bytes = await within(clock, patienceMs, store.load(certificateKey), () => new Error('no answer in 5 s'))
      loadFaults.mend(certificateKey)
      if (slot.isRemoved || isClosed) return
      occur(slot, { type: 'loaded', response: bytes && verify(slot, bytes) })
    } catch (thrown) {
      const error = asStapleError(thrown, 'ERR_STORE_READ', certificateKey)
      occur(slot, { type: 'load-failed', fault: judgeFault(error), error })
    }
  }

  function verify(slot: Slot, bytes: Uint8Array): VerifiedOcspResponse {
    const { responderCertificate } = wishesOf(slot)
    const response = verifyOcspResponse(bytes, {
      ...policies,
      certificate: decodeCertificate(slot.leaf.der),
      issuer: slot.issuer as Certificate,
      at: clock.now(),
      ...(responderCertificate && { responderCertificate }),
    })
    return own(response)
  }

  /** A copy of what is kept of a response, so that it keeps nothing else alive: a whole HTTP body, say. */
  function own(response: VerifiedOcspResponse): VerifiedOcspResponse {
    const { der, signer } = response
    return { ...response, der: copyBytes(der), signer: { ...signer, name: interner.text(signer.name) } }
  }

  async function fetch(slot: Slot, deadlineMs: number): Promise<void> {
    const { hashAlgorithm, method, responderCertificate } = wishesOf(slot)
    const underWay = begin(slot)
    const question = {
      certificate: decodeCertificate(slot.leaf.der),
      issuer: slot.issuer as Certificate,
      responderURLs: responderURLsOf(slot),
      deadlineMs,
      ...(hashAlgorithm && { hashAlgorithm }),
      ...(method && { method }),
      ...(responderCertificate && { responderCertificate }),
    }
    try {
      const answer = fetcher.fetchStaple(question, underWay.signal)
      const fetched = await bounded(underWay, deadlineMs + patienceMs, answer)
      if (fetched.dateSkewMs !== undefined) judgeSkew(slot, fetched.responderURL, fetched.dateSkewMs)
      const { responderURL, maxAgeMs } = fetched
      occur(slot, {
        type: 'fetched',
        response: own(fetched.response),
        responderURL: interner.text(responderURL),
        maxAgeMs,
      })
    } catch (thrown) {
      if (slot.isRemoved || isClosed) return
      const error = asFetchError(thrown)
      const skew = isStapleError(error, 'ERR_FETCH_FAILED') ? error.detail.dateSkew : undefined
      if (skew !== undefined) judgeSkew(slot, skew.responderURL, skew.skewMs)
      occur(slot, { type: 'fetch-failed', error })
    }
  }

  async function fetchIssuer(slot: Slot): Promise<void> {
    const leaf = decodeCertificate(slot.leaf.der)
    const underWay = begin(slot)
    const url = leaf.extensions.caIssuersURLs.join(' or ')
    try {
      // Another leaf of the same CA may have brought it meanwhile.
      const known = issuers.find(leaf, [])
      const issuer = known ?? (await bounded(underWay, issuerDeadlineMs, fetcher.fetchIssuer(leaf, underWay.signal)))
      if (known === undefined) {
        issuers.remember(issuer)
        keepSaving(store.saveNotes({ version: 1, issuers: issuers.note() }).catch(() => {}))
      }
      slot.issuer = issuers.intern(issuer)
      slot.candidates = []
      occur(slot, { type: 'issuer-fetched', url: known === undefined ? url : undefined })
    } catch (thrown) {
      if (slot.isRemoved || isClosed) return
      occur(slot, { type: 'issuer-failed', error: asFetchError(thrown) })
    }
  }

  function begin(slot: Slot): AbortController {
    slot.underWay = new AbortController()
    return slot.underWay
  }

  /** A fetcher keeps its own deadlines; one that does not must not hold an entry for ever. */
  function bounded<T>(underWay: AbortController, ms: number, answer: Promise<T>): Promise<T> {
    return within(clock, ms, answer, () => {
      underWay.abort()
      return new Error(`no answer in ${ms} ms`)
    })
  }

  function judgeSkew(slot: Slot, responderURL: string, skewMs: number): void {
    const suspect = suspectOf(responderURL, skewMs)
    if (suspect !== undefined) tell(slot, { type: 'clock-suspect', responderURL, skewMs, suspect })
  }

  function save(slot: Slot, staple: Uint8Array): void {
    const { certificateKey } = slot.leaf
    keepSaving(
      store.save(certificateKey, staple).then(
        () => {
          occur(slot, { type: 'saved', staple })
          if (saveFaults.mend(certificateKey)) tell(slot, { type: 'save-recovered' })
        },
        (thrown) => {
          const error = asStapleError(thrown, 'ERR_STORE_WRITE', certificateKey)
          occur(slot, { type: 'save-failed', staple, error })
        },
      ),
    )
  }

  function refuseStored(slot: Slot, reason: string): void {
    const { certificateKey } = slot.leaf
    keepSaving(
      store.refuse(certificateKey, reason).catch((thrown) => {
        tell(slot, { type: 'save-failed', error: asStapleError(thrown, 'ERR_STORE_WRITE', certificateKey) })
      }),
    )
  }

  function keepSaving(promise: Promise<void>): void {
    const kept = promise.finally(() => saving.delete(kept))
    saving.add(kept)
  }

  function slotOf(certificateKey: string): Slot {
    if (isClosed) throw closedError()
    const slot = slots.get(certificateKey)
    if (slot !== undefined) return slot
    const message = `the keeper does not know this certificate: ${certificateKey}`
    throw new StapleError('ERR_KEEPER_UNKNOWN_CERTIFICATE', message, { certificateKey })
  }

  function refreshSlot(slot: Slot): Promise<void> {
    return new Promise((resolve) => {
      slot.refreshing = [...(slot.refreshing ?? []), resolve]
      occur(slot, { type: 'refresh-asked' })
    })
  }

  function remove(slot: Slot, wishes = slot.wishes[0]): void {
    const index = slot.wishes.findIndex((each) => each === wishes)
    if (index < 0 || slot.isRemoved) return
    slot.wishes.splice(index, 1)
    if (slot.wishes.length > 0) return void prepare(slot)
    const { certificateKey } = slot.leaf
    slots.delete(certificateKey)
    loadFaults.mend(certificateKey)
    saveFaults.mend(certificateKey)
    slot.isRemoved = true
    wakes.set(slot, undefined)
    slot.underWay?.abort(closedError())
    resolveWaiters(slot, true)
  }

  return {
    add(kept) {
      if (isClosed) throw closedError()
      const leaf = describeLeaf(decoded(kept.certificate, 'certificate'), interner)
      const wishes = readWishes(kept, interner)
      const candidates = (kept.issuerCandidates ?? [])
        .filter((each) => !isSame(ArrayBuffer.isView(each) ? each : each.der, leaf.der))
        .map((each) => issuers.intern(each))
      const known = slots.get(leaf.certificateKey)
      const slot = known ?? createSlot(leaf, wishes, limits, Math.floor(random() * 2 ** 32))
      if (known) known.wishes.push(wishes)
      else slots.set(leaf.certificateKey, slot)
      if (slot.issuer === undefined) slot.candidates = [...slot.candidates, ...candidates]
      wakes.start()
      loads(() => prepare(slot))
      const { certificateKey } = leaf
      const entry: KeptEntry = {
        certificateKey,
        servable: () => judgeSlot(slot, clock.now().getTime()),
        status: () => describeSlot(slot, clock.now().getTime()),
        settled: () => settled(slot),
        remove: () => remove(slot, wishes),
      }
      return entry
    },
    remove(certificateKey) {
      const slot = slots.get(certificateKey)
      if (slot !== undefined) remove(slot)
    },
    servable(certificateKey) {
      const slot = slots.get(certificateKey)
      return slot === undefined ? nothingServable : judgeSlot(slot, clock.now().getTime())
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
      if (certificateKey !== undefined) return refreshSlot(slotOf(certificateKey))
      if (isClosed) throw closedError()
      await Promise.all([...slots.values()].map(refreshSlot))
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
      for (const slot of slots.values()) {
        slot.underWay?.abort(closedError())
        resolveWaiters(slot, true)
      }
      await within(clock, patienceMs, Promise.all(saving), () => undefined).catch(() => {})
    },
  }

  function settled(slot: Slot): Promise<void> {
    if (slot.entry.isSettled || slot.isRemoved || isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      slot.settling = [...(slot.settling ?? []), resolve]
    })
  }
}

function copyBytes(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function asFetchError(thrown: unknown): StapleError {
  if (isStapleError(thrown)) return thrown
  const message = `the fetcher failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  return new StapleError('ERR_FETCH_FAILED', message, { causes: [] }, { cause: thrown })
}

function noIssuer({ leaf }: Slot): StapleError {
  const message = `no certificate at hand issued ${leaf.subject}, and it names no caIssuers address`
  return new StapleError('ERR_FETCH_NO_ISSUER', message, { causes: [] })
}

function closedError(): StapleError {
  return new StapleError('ERR_KEEPER_CLOSED', 'the keeper is closed', {})
}

/** Only seeds: what is drawn from them spreads requests, and guards nothing. */
function chance(): number {
  return randomInt(2 ** 32) / 2 ** 32
}

const loadsAtOnce = 32
/** A store on a network file system may hang; what it has is then fetched. */
const patienceMs = 5_000
const issuerDeadlineMs = 60_000
