/** What speaks against a reload whose configuration is sound, and how a failed one is described. */
import { isStapleError } from '../../errors.ts'
import { isStapled } from '../../serve/attach/policy.ts'
import { decideAdmission, type Known } from './admission.ts'
import type { House } from './house.ts'
import { shownIn } from './slots.ts'

/** A configuration that is sound, and still not taken. */
export class ReloadRefused extends Error {}

/**
 * Throws where a start with the next configuration would end or keep its doors closed, for certificates that no gate
 * holds back; and where a new keeper knows less than the one it is to replace.
 */
export function refuseMissing(next: House, before: House): void {
  refuseByPolicy(next, before)
  if (next.keeping !== before.keeping) refuseLoss(next, before)
}

function refuseByPolicy(next: House, before: House): void {
  const { keeper } = next.keeping
  const shown = new Set(before.slots.map((slot) => shownIn(slot).certificateKey))
  const known = next.slots.flatMap(({ site, wanted: { certificateKey, label, leaf }, old }): Known[] => {
    const entry = isStapled(site.mode, leaf) ? keeper.entry(certificateKey) : undefined
    if (entry === undefined) return []
    // What can never be stapled no gate holds back.
    if (old !== undefined && entry.stapleState !== 'unsupported') return []
    if (shown.has(certificateKey) && before.enrolment.certificateKeys.has(certificateKey)) return []
    const awaited = { certificateKey, label, policies: site.policies }
    return [{ awaited, entry, servable: keeper.servable(certificateKey) }]
  })
  const admission = decideAdmission(known, true)
  if (admission.kind === 'end') throw new ReloadRefused(admission.because)
  if (admission.kind === 'open') return
  const names = admission.missing.map(({ label, lastError }) => `${label}${lastError ? `: ${lastError.message}` : ''}`)
  throw new ReloadRefused(`no staple (on_start: require) for ${names.join('; ')}`)
}

function refuseLoss(next: House, before: House): void {
  const labels = new Map(
    next.slots.flatMap((slot) => [slot.wanted, shownIn(slot)]).map((c) => [c.certificateKey, c.label]),
  )
  for (const certificateKey of next.enrolment.certificateKeys) {
    const had = before.keeping.keeper.servable(certificateKey)
    const has = next.keeping.keeper.servable(certificateKey)
    if (has.staple !== undefined || has.isRevoked) continue
    const label = labels.get(certificateKey)
    if (had.isRevoked) throw new ReloadRefused(`${label} is revoked, and with the new settings nobody says so`)
    if (had.staple === undefined) continue
    throw new ReloadRefused(`the staple of ${label} is held, and could not be had again with the new settings`)
  }
}

/** One text for each thing that is wrong. */
export function describeFailure(thrown: unknown): string[] {
  if (isStapleError(thrown, 'ERR_CONFIG_INVALID')) return thrown.message.split(/\n(?! )/)
  return [thrown instanceof Error ? thrown.message : String(thrown)]
}
