/** The daemon as the admin doors see it: one picture of a moment. */
import { createRequire } from 'node:module'
import type { DaemonStatus, StapleStatus } from '../admin/subject.ts'
import { formatAddress } from '../journal/address.ts'
import { createCountsSoFar, sumStatuses } from '../workers/counting.ts'
import type { HostStatus } from '../workers/host.ts'
import { certificateKeysOf, type House, judgeSlot } from './house.ts'
import { type Slot, shownIn } from './slots.ts'
import type { StapleSwitch } from './staple-switch.ts'

export type Phase = DaemonStatus['phase']

export interface DaemonPicture {
  readonly house: House
  readonly staples: StapleSwitch
  readonly now: Date
  readonly startedAt: Date
  readonly phase: Phase
  readonly front: HostStatus | undefined
  readonly peerCache?: DaemonStatus['peerCache'] | undefined
  readonly lastReload?: DaemonStatus['lastReload']
}

/** Describes a daemon. */
export function describeDaemon(picture: DaemonPicture): DaemonStatus {
  const { house, startedAt, phase, front = idle(), peerCache, lastReload } = picture
  const staples = describeStaples(picture)
  return {
    pid: process.pid,
    version,
    startedAt,
    phase,
    causes: describeCauses(phase, staples),
    configFile: house.settings.file,
    addresses: front.addresses.map(formatAddress),
    staples,
    front,
    workers: front.workers,
    ...(peerCache && { peerCache }),
    ...(lastReload && { lastReload }),
  }
}

/** A front that is not there yet. */
function idle(): HostStatus {
  return { ...sumStatuses([], createCountsSoFar()), workers: [] }
}

function describeStaples({ house, staples, now }: DaemonPicture): StapleStatus[] {
  const { keeper } = house.keeping
  const shown = new Map<string, string[]>()
  const gated = new Map<string, Slot>()
  for (const slot of house.slots) {
    const key = shownIn(slot).certificateKey
    shown.set(key, [...(shown.get(key) ?? []), slot.site.names[0] ?? 'default'])
    if (slot.old !== undefined) gated.set(slot.wanted.certificateKey, slot)
  }
  return [...certificateKeysOf(house)].flatMap((certificateKey) => {
    const entry = keeper.entry(certificateKey)
    if (entry === undefined) return []
    const status = { ...entry, sites: shown.get(certificateKey) ?? [] }
    const slot = gated.get(certificateKey)
    const verdict = slot && judgeSlot(slot, house, staples, now)
    if (verdict?.kind !== 'waiting') return [status]
    const { cause, deadline } = verdict
    return [{ ...status, waiting: { cause, ...(deadline && { deadline }) } }]
  })
}

function describeCauses(phase: Phase, staples: readonly StapleStatus[]): string[] {
  if (phase === 'open') return []
  if (phase === 'draining') return ['it is ending: no new connections are taken']
  const missing = staples.filter(({ stapleState }) => stapleState !== 'fresh' && stapleState !== 'due')
  return [
    'the doors are closed until the staples are in',
    ...missing.map(({ label, stapleState, lastError }) => `${label}: ${lastError?.message ?? stapleState}`),
  ]
}

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
