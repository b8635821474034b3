/**
 * Connects to a target and records what it presents, without opinion.
 *
 * Nothing that a target does makes this reject or wait for ever: failures are in the record, every step has its time, and what
 * is read has its limit. Staples of intermediates are not seen: Node shows the leaf's alone.
 */
import type { StapleError } from '../../errors.ts'
import { findCaa } from './caa.ts'
import { makeConnection } from './connection.ts'
import { type Contexts, contextsWith } from './contexts.ts'
import { resolveAddresses } from './dial.ts'
import type { Limits } from './limits.ts'
import type { ProbeOptions } from './options.ts'
import { type Attempt, planNext } from './plan.ts'
import type { ConnectionRecord, HttpRecord, ProbeRecord, Target } from './record.ts'
import type { OpeningMemory } from './starttls/opening.ts'

const defaultConnections = 5
const defaultTimeoutMs = 5_000

/** Addresses of one name that are asked at the same time. */
const addressesAtOnce = 4

/** Probes one target. */
export async function probe(target: Target, options: ProbeOptions): Promise<ProbeRecord> {
  const { clock, connections = defaultConnections, timeoutMs = defaultTimeoutMs, signal } = options
  const limits: Limits = { clock, timeoutMs, signal }
  const at = clock.now()
  const started = clock.monotonicMs()
  const caa = options.stack ? findCaa(target, limits, options.resolveCaa) : undefined
  let addresses: readonly string[] = []
  let failure: StapleError | undefined
  try {
    addresses = await resolveAddresses(target.host, limits, options.lookup)
  } catch (error) {
    failure = error as StapleError
  }

  const web = createWebQuestion()
  const contexts = contextsWith(options.ca ?? [])
  const byAddress = await mapSome(addresses, addressesAtOnce, (address) =>
    probeAddress({ target, address, contexts, limits, connections, web }),
  )
  const caaRecord = await caa
  const http = web.answer()
  return {
    target,
    at,
    elapsedMs: clock.monotonicMs() - started,
    addresses,
    ...(failure ? { failure } : {}),
    connections: byAddress.flat(),
    ...(http ? { http } : {}),
    ...(caaRecord ? { caa: caaRecord } : {}),
  }
}

interface AddressRequest {
  readonly target: Target
  readonly address: string
  readonly contexts: Contexts
  readonly limits: Limits
  readonly connections: number
  readonly web: WebQuestion
}

/** All connections to one address, one after the other, as the plan says. */
async function probeAddress(request: AddressRequest): Promise<ConnectionRecord[]> {
  const { target, address, contexts, limits, connections, web } = request
  const attempts: Attempt[] = []
  const records: ConnectionRecord[] = []
  let offersAlpn = target.starttls === undefined
  let lingers = true
  const memory: OpeningMemory = {}
  while (!limits.signal?.aborted) {
    const offer = planNext(attempts, connections)
    if (!offer) break
    const number = records.length + 1
    const { record, outcome, http, refusedAlpn } = await makeConnection({
      ...{ target, address, number, offer, contexts, limits, offersAlpn, lingers, memory },
      takesHttp: web.take,
    })
    records.push(record)
    attempts.push({ ...offer, outcome, ...(record.handshake ? { keyFamily: record.handshake.keyFamily } : {}) })
    if (http) web.put(http)
    if (refusedAlpn) offersAlpn = false
    if (outcome === 'shown') lingers = false
  }
  return records
}

/** HTTP is asked once for the whole target, by whichever connection comes first. */
interface WebQuestion {
  readonly take: () => boolean
  put(answer: HttpRecord): void
  answer(): HttpRecord | undefined
}

function createWebQuestion(): WebQuestion {
  let isTaken = false
  let answer: HttpRecord | undefined
  return {
    take() {
      if (isTaken) return false
      isTaken = true
      return true
    },
    put(given) {
      answer = given
    },
    answer: () => answer,
  }
}

/** Maps all, a few at a time. */
async function mapSome<T, R>(items: readonly T[], atOnce: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  const queue = items.entries()
  const work = async () => {
    for (const [index, item] of queue) results[index] = await map(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  return results
}
