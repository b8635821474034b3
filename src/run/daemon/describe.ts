/** The daemon as the admin doors see it: one picture of a moment. */
import { createRequire } from 'node:module'
import type { DaemonStatus, FrontCounts, StapleStatus } from '../admin/subject.ts'
import type { HostStatus } from '../workers/host.ts'
import { type House, judgeSlot } from './house.ts'
import type { StapleSwitch } from './staple-switch.ts'

export type Phase = DaemonStatus['phase']

export interface DaemonPicture {
  readonly house: House
  readonly staples: StapleSwitch
  readonly now: Date
  readonly startedAt: Date
  readonly phase: Phase
  readonly front: HostStatus | undefined
  readonly lastReload?: DaemonStatus['lastReload']
}

/** Describes a daemon. */
export function describeDaemon(picture: DaemonPicture): DaemonStatus {
  const { house, startedAt, phase, front, lastReload } = picture
  const staples = describeStaples(picture)
  return {
    pid: process.pid,
    version,
    startedAt,
    phase,
    causes: describeCauses(phase, staples),
    configFile: house.settings.file,
    addresses: (front?.addresses ?? []).map(({ address, port }) =>
      address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    ),
    staples,
    front: countsOf(front),
    workers: front?.workers ?? [],
    ...(lastReload && { lastReload }),
  }
}

function describeStaples({ house, staples, now }: DaemonPicture): StapleStatus[] {
  const { keeper } = house.keeping
  const keys = new Set(
    house.slots.flatMap(({ wanted, old }) => [wanted.certificateKey, ...(old ? [old.certificateKey] : [])]),
  )
  return [...keys].flatMap((certificateKey) => {
    const entry = keeper.entry(certificateKey)
    if (entry === undefined) return []
    const sites = house.slots
      .filter(({ wanted, old }) => (old ?? wanted).certificateKey === certificateKey)
      .map(({ site }) => site.names[0] ?? 'default')
    const gated = house.slots.find(({ wanted, old }) => old !== undefined && wanted.certificateKey === certificateKey)
    const verdict = gated && judgeSlot(gated, house, staples, now)
    if (verdict?.kind !== 'waiting') return [{ ...entry, sites }]
    const { cause, deadline } = verdict
    return [{ ...entry, sites, waiting: { cause, ...(deadline && { deadline }) } }]
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

function countsOf(front: HostStatus | undefined): FrontCounts {
  return {
    connections: front?.connections ?? 0,
    handshakes: front?.handshakes ?? 0,
    accepted: front?.accepted ?? 0,
    refusedConnections: front?.refusedConnections ?? 0,
    secured: front?.secured ?? 0,
    failedHandshakes: front?.failedHandshakes ?? 0,
    refusedHandshakes: front?.refusedHandshakes ?? 0,
    stapled: front?.stapled ?? 0,
    unstapled: front?.unstapled ?? 0,
    failedBackends: front?.failedBackends ?? 0,
  }
}

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
