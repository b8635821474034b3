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
  /** Hands the keeper every certificate that its site's mode staples, where it does not keep it just so already. */
  add(settings: Settings): Enrolment
  /** From now on only these are kept; the others leave after the time. */
  keepOnly(certificateKeys: ReadonlySet<string>, afterMs: number): void
}

export interface Enrolment {
  /** Those that the modes staple. */
  readonly awaited: readonly Awaited[]
  /** Those among them that the keeper did not know before. */
  readonly newcomers: readonly Awaited[]
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
    add(settings) {
      const awaited: Awaited[] = []
      const newcomers: Awaited[] = []
      const unstapledMustStaple: CertificateSettings[] = []
      const wanted = new Map<string, KeptCertificate>()
      for (const site of settings.sites) {
        for (const certificate of site.certificates) {
          const { certificateKey, label } = certificate
          if (!isStapled(site.mode, certificate.leaf)) {
            if (isMustStaple(certificate.leaf)) unstapledMustStaple.push(certificate)
            continue
          }
          const one = { certificateKey, label, policies: site.policies }
          if (!kept.has(certificateKey)) newcomers.push(one)
          awaited.push(one)
          const before = wanted.get(certificateKey)
          // One certificate in two sites is required when it is for either.
          const wishes = wishesOf(site, certificate)
          wanted.set(
            certificateKey,
            before ? { ...before, isRequired: isRequired(before) || isRequired(wishes) } : wishes,
          )
        }
      }
      const changes: Change[] = []
      for (const [certificateKey, wishes] of wanted) {
        const before = kept.get(certificateKey)
        if (before && isSame(before.wishes, wishes)) continue
        const now = { wishes, entry: keeper.add(wishes) }
        kept.set(certificateKey, now)
        changes.push({ certificateKey, now, before })
      }
      return {
        awaited,
        newcomers,
        unstapledMustStaple,
        confirm() {
          for (const { before } of changes) before?.entry.remove()
        },
        undo() {
          for (const { certificateKey, now, before } of changes) {
            now.entry.remove()
            if (before) kept.set(certificateKey, before)
            else kept.delete(certificateKey)
          }
        },
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
