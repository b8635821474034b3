/**
 * A plan as it is sent to workers: its certificates apart, each under a name that says what is in it, so that a reload
 * sends only those that changed; and each worker's share of the limits.
 */
import { createHash } from 'node:crypto'
import type { FrontPlan, TerminatorCertificate } from '../../serve/terminator/index.ts'
import { terminatorDefaults } from '../../serve/terminator/options.ts'
import type { SentPlan } from './messages.ts'

export interface Parcel {
  readonly plan: SentPlan
  readonly certificates: ReadonlyMap<string, TerminatorCertificate>
  /** Whose staples it needs. */
  readonly certificateKeys: ReadonlySet<string>
}

/** Packs a plan for each of so many workers. */
export function packPlan(plan: FrontPlan, workers: number): Parcel {
  const certificates = new Map<string, TerminatorCertificate>()
  const certificateKeys = new Set<string>()
  const sites = plan.sites.map((site) => ({
    ...site,
    certificates: site.certificates.map((certificate) => {
      const name = nameOf(certificate)
      certificates.set(name, certificate)
      certificateKeys.add(certificate.certificateKey)
      return name
    }),
  }))
  return { plan: { ...plan, ...shareLimits(plan, workers), sites }, certificates, certificateKeys }
}

/** Unpacks it. Throws when a certificate was never sent. */
export function unpackPlan(
  { sites, ...plan }: SentPlan,
  certificates: ReadonlyMap<string, TerminatorCertificate>,
): FrontPlan {
  return {
    ...plan,
    sites: sites.map((site) => ({
      ...site,
      certificates: site.certificates.map((name) => {
        const certificate = certificates.get(name)
        if (certificate === undefined) throw new Error(`the certificate ${name} was not sent`)
        return certificate
      }),
    })),
  }
}

/** The limits of a front, divided: the system spreads connections over the workers, though not to the one evenly. */
function shareLimits(plan: FrontPlan, workers: number): Partial<FrontPlan> {
  const share = (limit: number) => Math.max(1, Math.ceil(limit / workers))
  const { maxConnections, maxHandshakes, connectionRateLimit } = plan
  return {
    maxConnections: share(maxConnections ?? terminatorDefaults.maxConnections),
    maxHandshakes: share(maxHandshakes ?? terminatorDefaults.maxHandshakes),
    ...(connectionRateLimit !== undefined && { connectionRateLimit: share(connectionRateLimit) }),
  }
}

function nameOf({ chain, key, passphrase = '', certificateKey }: TerminatorCertificate): string {
  const hash = createHash('sha256')
  for (const part of [certificateKey, chain, key, passphrase]) hash.update(`${part.length}:`).update(part)
  return hash.digest('base64url')
}
