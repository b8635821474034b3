/**
 * The certificates that one server shows, found again by their bytes in each handshake.
 *
 * They are given in the options, come with a context, or are learned from a handshake that showed them. Those that the
 * mode staples are kept by the keeper; the rest is known, so that it is not learned again and again.
 */
import type { Clock } from '../../keep/clock.ts'
import type { Keeper, KeptEntry } from '../../keep/keeper/index.ts'
import { type Certificate, decodeCertificate, isMustStaple } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { Announcer } from './announcer.ts'
import type { Bundle } from './bundle.ts'
import { bytesKey } from './bytes-key.ts'
import type { AttachEvent } from './events.ts'
import type { Asking, ResolvedPolicies } from './options.ts'
import { isStapled, type StopReason } from './policy.ts'

/** One certificate of the server. */
export interface Shown {
  readonly certificateKey: string
  readonly label: string
  readonly leaf: Certificate
  readonly origin: 'given' | 'context' | 'learned'
  /** Absent when the mode does not staple it. */
  readonly entry: KeptEntry | undefined
  stopTold: StopReason | undefined
}

export interface Showcase {
  add(bundle: Bundle, origin: Shown['origin']): Shown
  /** Takes in what a handshake showed. Undefined when the bytes are no certificate; that is told once. */
  learn(der: Buffer, issuer: Buffer | null): Shown | undefined
  /** As often as it was added. */
  remove(shown: Shown): void
  find(der: Buffer): Shown | undefined
  all(): readonly Shown[]
  clear(): void
}

/** Creates an empty one. */
export function createShowcase(options: {
  readonly keeper: Keeper
  readonly clock: Clock
  readonly resolved: ResolvedPolicies
  readonly asking: Asking
  readonly issuers: readonly Certificate[]
  readonly announce: Announcer<AttachEvent>['announce']
  /** An SNICallback that makes certificates as it goes must not fill the memory. Default 1,000. */
  readonly mostLearned?: number
}): Showcase {
  const { keeper, clock, resolved, asking, issuers, announce, mostLearned = 1_000 } = options
  const { mode } = resolved
  const byBytes = new Map<string, { shown: Shown; count: number }>()
  // Bytes that could not be decoded: they would fail in every handshake anew.
  const refused = new Set<string>()

  function add({ leaf, others }: Bundle, origin: Shown['origin']): Shown {
    const key = bytesKey(Buffer.from(leaf.der))
    const known = byBytes.get(key)
    if (known) {
      known.count++
      return known.shown
    }
    const entry = isStapled(mode, leaf)
      ? keeper.add({
          certificate: leaf,
          issuerCandidates: [...others, ...issuers],
          isRequired: mode === 'always' || isMustStaple(leaf),
          ...asking,
        })
      : undefined
    const shown: Shown = {
      certificateKey: entry?.certificateKey ?? certificateKey(leaf.der),
      label: entry?.status().label ?? formatName(leaf.subject),
      leaf,
      origin,
      entry,
      stopTold: undefined,
    }
    byBytes.set(key, { shown, count: 1 })
    const about = { at: clock.now(), certificateKey: shown.certificateKey, label: shown.label }
    if (origin === 'learned') announce({ type: 'learned', ...about })
    if (mode === 'never' && isMustStaple(leaf)) announce({ type: 'left-out', ...about })
    return shown
  }

  /** Learned ones have nobody to remove them: expired ones go, and beyond the limit the oldest. */
  function makeRoom(): void {
    const now = clock.now()
    const learned = [...byBytes].filter(([, { shown, count }]) => shown.origin === 'learned' && count === 1)
    for (const [index, [key, { shown }]] of learned.entries()) {
      if (shown.leaf.notAfter >= now && index >= learned.length - mostLearned + 1) break
      if (shown.leaf.notAfter < now || learned.length >= mostLearned) drop(key)
    }
  }

  function drop(key: string): void {
    byBytes.get(key)?.shown.entry?.remove()
    byBytes.delete(key)
  }

  return {
    add,
    learn(der, issuer) {
      const key = bytesKey(der)
      if (refused.has(key)) return undefined
      try {
        makeRoom()
        return add(
          { leaf: decodeCertificate(der), others: issuer === null ? [] : [decodeCertificate(issuer)] },
          'learned',
        )
      } catch (error) {
        if (refused.size < mostLearned) refused.add(key)
        announce({ type: 'failed', at: clock.now(), error: error as Error })
        return undefined
      }
    },
    remove(shown) {
      for (const [key, known] of byBytes) if (known.shown === shown && --known.count === 0) drop(key)
    },
    find: (der) => byBytes.get(bytesKey(der))?.shown,
    all: () => [...byBytes.values()].map(({ shown }) => shown),
    clear() {
      for (const key of byBytes.keys()) drop(key)
    },
  }
}
