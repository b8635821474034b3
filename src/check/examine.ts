/** One target from beginning to end: probed, its CA asked, every rule applied. */
import type { Origin } from '../keep/fetch/index.ts'
import type { Certificate } from '../pki/x509/certificate.ts'
import type { Evidence } from './diagnose/evidence.ts'
import type { Finding, ServerKind, Severity } from './diagnose/finding.ts'
import type { ProbeOptions } from './probe/options.ts'
import type { Target } from './probe/record.ts'
import type { RevocationPolicy, StatusAsker } from './revocation/contract.ts'

export interface ExamineOptions extends ProbeOptions {
  /** Asks the CA; absent: nobody is asked. */
  readonly asker?: StatusAsker
  /** Default `ocsp-then-crl`. */
  readonly revocation?: RevocationPolicy
  /** Fetches an issuer that the server does not send, with the origin of its address; absent: none is fetched. */
  readonly fetchIssuer?: (leaf: Certificate, origin: Origin) => Promise<Certificate>
  /** The moment to judge at; default when the probe is made. */
  readonly at?: Date
}

export interface Examination {
  readonly target: Target
  readonly evidence: Evidence
  /** The worst first. */
  readonly findings: readonly Finding[]
  /** The worst of them; nothing found wrong: `ok`. */
  readonly severity: Exclude<Severity, 'info'>
  /** Which server it seems to be, and by what signs. */
  readonly server?: { readonly kind: ServerKind; readonly because: readonly string[] }
  /** What no check from outside can see, whatever was found: for the end of a report. */
  readonly notes: readonly string[]
}

/** Examines one target. Never rejects for what the target does: that is in the findings. */
export async function examine(target: Target, options: ExamineOptions): Promise<Examination> {
  throw new TypeError(`not written yet: ${target.label} ${options.at}`)
}
