/**
 * Where certificates stand in a configuration, and what a front shows there: the certificate that is wanted, or, while
 * its gate is closed, the one it is to replace.
 */
import { keyType } from '../../pki/x509/crypto.ts'
import { type KeyFamily, keyFamily } from '../../serve/attach/key-choice.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../config/index.ts'

export interface Slot {
  readonly site: SiteSettings
  /** The first site: for clients that name none. */
  readonly isDefault: boolean
  readonly wanted: CertificateSettings
  /** Shown instead while the gate is closed; undefined: there is nothing to replace, or it is replaced. */
  readonly old: CertificateSettings | undefined
  /** Since when it has been wanted. */
  readonly since: Date
}

/** The slots of a configuration, each with what the slots before showed in its place. */
export function pairSlots(before: readonly Slot[], settings: Settings, now: Date): Slot[] {
  const slots: Slot[] = []
  for (const [index, site] of settings.sites.entries()) {
    const isDefault = index === 0
    for (const wanted of site.certificates) {
      const same = before.find((slot) => slot.wanted.certificateKey === wanted.certificateKey)
      const isShown = before.some((slot) => shownIn(slot).certificateKey === wanted.certificateKey)
      const old = isShown ? undefined : findReplaced(before, site, isDefault, wanted)
      slots.push({
        site,
        isDefault,
        wanted,
        old: old && isFree(old, wanted, site, slots) ? old : undefined,
        since: same?.since ?? now,
      })
    }
  }
  return slots
}

/** What a slot shows. */
export function shownIn({ old, wanted }: Slot): CertificateSettings {
  return old ?? wanted
}

/** The certificate whose file, or else whose names and key type, the wanted one has now. */
function findReplaced(
  before: readonly Slot[],
  site: SiteSettings,
  isDefault: boolean,
  wanted: CertificateSettings,
): CertificateSettings | undefined {
  const ofFile = before.filter((slot) => slot.wanted.certFile === wanted.certFile)
  const family = familyOf(wanted)
  const ofName = before.filter(
    (slot) =>
      familyOf(shownIn(slot)) === family &&
      ((slot.isDefault && isDefault) || slot.site.names.some((name) => site.names.includes(name))),
  )
  const slot = ofFile.find((each) => ofName.includes(each)) ?? ofFile[0] ?? ofName[0]
  return slot && shownIn(slot)
}

/** One site shows one certificate per family of keys: the old one must not get in the way of another. */
function isFree(
  old: CertificateSettings,
  wanted: CertificateSettings,
  site: SiteSettings,
  slots: readonly Slot[],
): boolean {
  const family = familyOf(old)
  return (
    !site.certificates.some((each) => each !== wanted && familyOf(each) === family) &&
    !slots.some((slot) => slot.site === site && familyOf(shownIn(slot)) === family)
  )
}

function familyOf(certificate: CertificateSettings): KeyFamily {
  return keyFamily(keyType(certificate.leaf))
}
