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
export function pairSlots(before: readonly Slot[], settings: Pick<Settings, 'sites'>, now: Date): Slot[] {
  const slots: Slot[] = []
  const findSite = indexSites(before, settings.sites)
  const since = new Map(before.toReversed().map((slot) => [slot.wanted.certificateKey, slot.since]))
  for (const [index, site] of settings.sites.entries()) {
    const ofSite = findSite(site, index === 0)
    const ofThis: Slot[] = []
    for (const wanted of site.certificates) {
      const old = findReplaced(before, ofSite, wanted).find((each) => isFree(each, wanted, site, ofThis))
      ofThis.push({ site, isDefault: index === 0, wanted, old, since: since.get(wanted.certificateKey) ?? now })
    }
    slots.push(...ofThis)
  }
  return slots
}

/** What a slot shows. */
export function shownIn({ old, wanted }: Slot): CertificateSettings {
  return old ?? wanted
}

/** Which slots served the clients of a site: the names say so, or that it was the default, whose names are gone. */
function indexSites(before: readonly Slot[], sites: readonly SiteSettings[]) {
  const byName = new Map<string, Slot[]>()
  for (const slot of before) {
    for (const name of namesOf(slot.site)) byName.set(name, [...(byName.get(name) ?? []), slot])
  }
  const names = new Set(sites.flatMap(namesOf))
  const defaults = before.filter((slot) => slot.isDefault && !namesOf(slot.site).some((name) => names.has(name)))
  return (site: SiteSettings, isDefault: boolean): readonly Slot[] => [
    ...new Set([...namesOf(site).flatMap((name) => byName.get(name) ?? []), ...(isDefault ? defaults : [])]),
  ]
}

function namesOf({ names }: SiteSettings): string[] {
  return names.map((name) => name.toLowerCase())
}

/**
 * The certificates in whose place the wanted one may come, the likeliest first: of its site and family of keys (and
 * file), else of its file, whatever the key (a renewal may change from RSA to EC). None where it is shown already.
 */
function findReplaced(
  before: readonly Slot[],
  ofSite: readonly Slot[],
  wanted: CertificateSettings,
): CertificateSettings[] {
  if (ofSite.some((slot) => shownIn(slot).certificateKey === wanted.certificateKey)) return []
  const family = familyOf(wanted)
  const isOfFile = (slot: Slot) => slot.wanted.certFile === wanted.certFile
  const alike = ofSite.filter((slot) => familyOf(shownIn(slot)) === family)
  const slots = [...alike.filter(isOfFile), ...alike, ...ofSite.filter(isOfFile), ...before.filter(isOfFile)]
  return slots.map(shownIn).filter(({ certificateKey }) => certificateKey !== wanted.certificateKey)
}

/** One site shows one certificate per family of keys: the old one must not get in the way of another. */
function isFree(
  old: CertificateSettings,
  wanted: CertificateSettings,
  site: SiteSettings,
  ofThis: readonly Slot[],
): boolean {
  const family = familyOf(old)
  return (
    !site.certificates.some((each) => each !== wanted && familyOf(each) === family) &&
    !ofThis.some((slot) => familyOf(shownIn(slot)) === family)
  )
}

function familyOf(certificate: CertificateSettings): KeyFamily {
  return keyFamily(keyType(certificate.leaf))
}
