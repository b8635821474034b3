/**
 * The configuration that is in force, with its keeper, its roster and its slots; and how the next one is got ready
 * beside it. Who swaps them in is reload.ts; nothing here is seen from outside.
 */
import type { Clock } from '../../keep/clock.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import { isStapled } from '../../serve/attach/policy.ts'
import type { FrontPlan, StapleSource } from '../../serve/terminator/index.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../config/index.ts'
import type { Awaited } from './admission.ts'
import { decideGate, type GateVerdict } from './gate.ts'
import { createStapleKeeping, type StapleKeeping } from './keep-staples.ts'
import { planFront } from './plan.ts'
import { createRoster, type Enrolment, type Retained, type Roster } from './roster.ts'
import { pairSlots, type Slot } from './slots.ts'

export interface House {
  readonly settings: Settings
  readonly keeping: StapleKeeping
  readonly roster: Roster
  readonly enrolment: Enrolment
  readonly slots: readonly Slot[]
}

/** A house with a keeper of its own: the first, or one whose keeper cannot be taken over. */
export function buildHouse(
  settings: Settings,
  clock: Clock,
  slots: readonly Slot[] = pairSlots([], settings, clock.now()),
): House {
  const keeping = createStapleKeeping(settings, clock)
  const roster = createRoster(keeping.keeper, clock)
  return { settings, keeping, roster, enrolment: roster.add(settings, retainedIn(slots)), slots }
}

/** The next house: with the keeper of the one before, unless what makes a keeper has changed. */
export function rebuildHouse(before: House, settings: Settings, clock: Clock): House {
  const slots = pairSlots(before.slots, settings, clock.now())
  if (!isSameKeeping(before.settings, settings)) return buildHouse(settings, clock, slots)
  const { keeping, roster } = before
  return { settings, keeping, roster, enrolment: roster.add(settings, retainedIn(slots)), slots }
}

/** What a certificate behind its gate waits for. */
export function judgeSlot(
  { site, wanted, old, since }: Slot,
  { settings, keeping }: House,
  staples: StapleSource,
  now: Date,
): GateVerdict {
  if (old === undefined) return { kind: 'open' }
  const { certificateKey, leaf } = wanted
  return decideGate({
    now,
    since,
    policies: site.policies,
    gateMarginMs: settings.gateMarginMs,
    startTimeoutMs: settings.startTimeoutMs,
    wanted: {
      isStapled: isStapled(site.mode, leaf),
      isMustStaple: isMustStaple(leaf),
      entry: keeping.keeper.entry(certificateKey),
      servable: staples.servable(certificateKey),
    },
    old: { notAfter: old.leaf.notAfter, servable: staples.servable(old.certificateKey) },
  })
}

/** The house with the gates that are open now done away with. */
export function openGates(house: House, staples: StapleSource, now: Date): House {
  const slots = house.slots.map((slot) => {
    if (slot.old === undefined || judgeSlot(slot, house, staples, now).kind !== 'open') return slot
    return { ...slot, old: undefined }
  })
  return { ...house, slots }
}

/** The plan of a house's front: behind a closed gate, the old certificate. */
export function planHouse({ settings, slots }: Pick<House, 'settings' | 'slots'>): FrontPlan {
  const olds = new Map<SiteSettings, Map<CertificateSettings, CertificateSettings>>()
  for (const { site, wanted, old } of slots) {
    if (old) olds.set(site, (olds.get(site) ?? new Map()).set(wanted, old))
  }
  return planFront(settings, (wanted, site) => olds.get(site)?.get(wanted) ?? wanted)
}

/** The certificates whose staples a house needs: those that are wanted, and those shown in their place. */
export function certificateKeysOf({ slots, enrolment }: Pick<House, 'slots' | 'enrolment'>): ReadonlySet<string> {
  const olds = slots.flatMap(({ old }) => (old ? [old.certificateKey] : []))
  return new Set([...enrolment.awaited.map(({ certificateKey }) => certificateKey), ...olds])
}

/** Those that the start policies are about: for what stands behind a gate there is another to open the doors with. */
export function awaitedIn({ slots, enrolment }: Pick<House, 'slots' | 'enrolment'>): readonly Awaited[] {
  const behind = new Set(slots.flatMap(({ wanted, old }) => (old ? [wanted.certificateKey] : [])))
  for (const slot of slots) if (slot.old === undefined) behind.delete(slot.wanted.certificateKey)
  return enrolment.awaited.filter(({ certificateKey }) => !behind.has(certificateKey))
}

function retainedIn(slots: readonly Slot[]): Retained[] {
  return slots.flatMap(({ site, old }) => (old ? [{ site, certificate: old }] : []))
}

function isSameKeeping(one: Settings, other: Settings): boolean {
  const parts = ({ storeDir, keeper, verify, fetch }: Settings) => JSON.stringify([storeDir, keeper, verify, fetch])
  return parts(one) === parts(other)
}
