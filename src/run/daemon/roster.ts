/**
 * Which certificates the keeper keeps for the daemon. A reload adds before it takes away, and takes away only what
 * nobody is shown any more, a while later: a handshake that has begun ends on the certificate it began with.
 */
import type { Clock } from '../../keep/clock.ts'
import type { Keeper, KeptCertificate, KeptEntry } from '../../keep/keeper/index.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import { isStapled } from '../../serve/attach/policy.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../config/index.ts'
import type { Awaited } from './admission.ts'

export interface Roster {
  /**
   * Hands the keeper every certificate that its site's mode staples, where it does not keep it just so already.
   *
   * @param retained - certificates of an earlier configuration that are shown until others are ready
   */
  add(settings: Settings, retained?: readonly Retained[]): Enrolment
  /** From now on only these are kept; the others leave after the time. */
  keepOnly(certificateKeys: ReadonlySet<string>, afterMs: number): void
}

export interface Retained {
  readonly site: SiteSettings
  readonly certificate: CertificateSettings
}

export interface Enrolment {
  /** Those of the configuration that the modes staple. */
  readonly awaited: readonly Awaited[]
  /** These, and the retained ones among them. */
  readonly certificateKeys: ReadonlySet<string>
  /** Must-Staple certificates of sites whose mode staples nothing. */
  readonly unstapledMustStaple: readonly CertificateSettings[]
  /** What was kept otherwise before is given up. */
  confirm(): void
  /** Takes back what was added. */
  undo(): void
}

/** Creates the roster of a keeper. */
export function createRoster(keeper: Keeper, clock: Clock): Roster {
  const kept = new Map<string, Kept>()

  return {
    add(settings, retained = []) {
      const awaited: Awaited[] = []
      const unstapledMustStaple: CertificateSettings[] = []
      const wanted = new Map<string, KeptCertificate>()
      const want = (site: SiteSettings, certificate: CertificateSettings) => {
        const before = wanted.get(certificate.certificateKey)
        // One certificate in two sites is required when it is for either.
        const wishes = wishesOf(site, certificate)
        wanted.set(
          certificate.certificateKey,
          before ? { ...before, isRequired: isRequired(before) || isRequired(wishes) } : wishes,
        )
      }
      for (const site of settings.sites) {
        for (const certificate of site.certificates) {
          const { certificateKey, label, leaf } = certificate
          if (isStapled(site.mode, leaf)) {
            awaited.push({ certificateKey, label, policies: site.policies })
            want(site, certificate)
          } else if (isMustStaple(leaf)) unstapledMustStaple.push(certificate)
        }
      }
      for (const { site, certificate } of retained) if (isStapled(site.mode, certificate.leaf)) want(site, certificate)
      let changes: Change[] = []
      const undo = () => {
        for (const { certificateKey, now, before } of changes) {
          now.entry.remove()
          if (before) kept.set(certificateKey, before)
          else kept.delete(certificateKey)
        }
        changes = []
      }
      try {
        for (const [certificateKey, wishes] of wanted) {
          const before = kept.get(certificateKey)
          if (before && isSame(before.wishes, wishes)) continue
          const now = { wishes, entry: keeper.add(wishes) }
          kept.set(certificateKey, now)
          changes.push({ certificateKey, now, before })
        }
      } catch (thrown) {
        undo()
        throw thrown
      }
      return {
        awaited,
        certificateKeys: new Set(wanted.keys()),
        unstapledMustStaple,
        confirm() {
          for (const { before } of changes) before?.entry.remove()
          changes = []
        },
        undo,
      }
    },
    keepOnly(certificateKeys, afterMs) {
      const gone = [...kept].filter(([certificateKey]) => !certificateKeys.has(certificateKey))
      if (gone.length === 0) return
      for (const [certificateKey] of gone) kept.delete(certificateKey)
      clock.wake(afterMs, () => {
        for (const [, { entry }] of gone) entry.remove()
      })
    },
  }
}

interface Change {
  readonly certificateKey: string
  readonly now: Kept
  readonly before: Kept | undefined
}

interface Kept {
  readonly wishes: KeptCertificate
  readonly entry: KeptEntry
}

function wishesOf(site: SiteSettings, certificate: CertificateSettings): KeptCertificate {
  return {
    certificate: certificate.leaf,
    issuerCandidates: certificate.candidates,
    isRequired: isMustStaple(certificate.leaf) || site.mode === 'always',
    hashAlgorithm: certificate.hashAlgorithm,
    method: certificate.method,
    label: certificate.label,
    ...(certificate.responderURLs && { responderURLs: certificate.responderURLs }),
    ...(certificate.responderCertificate && { responderCertificate: certificate.responderCertificate }),
  }
}

function isRequired(wishes: KeptCertificate): boolean {
  return wishes.isRequired === true
}

/** Whether a certificate is asked about in the same way. */
function isSame(one: KeptCertificate, other: KeptCertificate): boolean {
  return comparable(one) === comparable(other)
}

function comparable({ issuerCandidates = [], responderCertificate, certificate: _, ...rest }: KeptCertificate): string {
  const ders = [...issuerCandidates, ...(responderCertificate ? [responderCertificate] : [])].map((each) =>
    Buffer.from(ArrayBuffer.isView(each) ? each : each.der).toString('base64'),
  )
  return JSON.stringify([rest, ders])
}
