/**
 * The keeper as a configuration wants it: which store, which fetcher, which certificates, asked how.
 *
 * The daemon keeps what it makes here for its whole life; the dry run (`serve -t`) makes one on memory and throws it away.
 */
import type { Clock } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import { createKeeper, type Keeper } from '../../keep/keeper/index.ts'
import { fileStore, memoryStore, type Store } from '../../keep/store/index.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import { isStapled } from '../../serve/attach/policy.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../config/index.ts'
import type { Awaited } from './admission.ts'

/** A keeper with what it stands on. */
export interface StapleKeeping {
  readonly keeper: Keeper
  /** Ends the keeper, then the fetcher and the store. */
  close(): Promise<void>
}

/** Creates the keeper of a configuration; it keeps nothing yet. */
export function createStapleKeeping(
  settings: Settings,
  clock: Clock,
  store: Store = chooseStore(settings),
): StapleKeeping {
  const { verify, fetch } = settings
  const fetcher = createFetcher({ clock, ...fetch, ...verify, maxStapleBytes: settings.keeper.maxStapleBytes })
  const keeper = createKeeper({ store, fetcher, clock, ...settings.keeper, ...verify })
  return {
    keeper,
    async close() {
      await keeper.close()
      await Promise.all([fetcher.close(), store.close()])
    },
  }
}

/** Hands the keeper every certificate that its site's mode staples; says which are waited for and which are left out. */
export function keepCertificates(
  keeper: Keeper,
  settings: Settings,
): { readonly awaited: readonly Awaited[]; readonly unstapledMustStaple: readonly CertificateSettings[] } {
  const awaited: Awaited[] = []
  const unstapledMustStaple: CertificateSettings[] = []
  for (const { site, certificate } of siteCertificates(settings)) {
    if (!isStapled(site.mode, certificate.leaf)) {
      if (isMustStaple(certificate.leaf)) unstapledMustStaple.push(certificate)
      continue
    }
    keeper.add({
      certificate: certificate.leaf,
      issuerCandidates: certificate.candidates,
      isRequired: isMustStaple(certificate.leaf) || site.mode === 'always',
      hashAlgorithm: certificate.hashAlgorithm,
      method: certificate.method,
      label: certificate.label,
      ...(certificate.responderURLs && { responderURLs: certificate.responderURLs }),
      ...(certificate.responderCertificate && { responderCertificate: certificate.responderCertificate }),
    })
    awaited.push({ certificateKey: certificate.certificateKey, label: certificate.label, policies: site.policies })
  }
  return { awaited, unstapledMustStaple }
}

function siteCertificates(settings: Settings): { site: SiteSettings; certificate: CertificateSettings }[] {
  return settings.sites.flatMap((site) => site.certificates.map((certificate) => ({ site, certificate })))
}

function chooseStore(settings: Settings): Store {
  return settings.storeDir === undefined ? memoryStore() : fileStore({ directory: settings.storeDir })
}
