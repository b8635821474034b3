/** One target from beginning to end: probed, its CA asked, every rule applied. */

import { findAll, notes, worstOf } from './diagnose/diagnose.ts'
import type { Evidence } from './diagnose/evidence.ts'
import type { Finding, ServerKind, Severity } from './diagnose/finding.ts'
import { type GatherOptions, gatherEvidence } from './diagnose/gather.ts'
import { recogniseServer } from './diagnose/server.ts'
import type { ProbeOptions } from './probe/options.ts'
import { probe } from './probe/probe.ts'
import type { Target } from './probe/record.ts'

/** How it is probed, who asks the CA, and the moment to judge at (default when the probe is made). */
export interface ExamineOptions extends ProbeOptions, Omit<GatherOptions, 'ca' | 'stack' | 'signal'> {}

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
  const evidence = await gatherEvidence(await probe(target, options), options)
  const findings = findAll(evidence)
  const server = recogniseServer(evidence)
  return { target, evidence, findings, severity: worstOf(findings), ...(server !== undefined && { server }), notes }
}
