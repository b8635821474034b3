/** What a rule says: one finding, for a person who is paged at night. The types of this folder's door. */
import type { Evidence } from './evidence.ts'

/** `unknown`: it could not be learned. */
export type Severity = 'ok' | 'info' | 'warning' | 'unknown' | 'critical'

/** Servers whose habits and settings are known here. */
export const serverKinds = ['nginx', 'apache', 'iis', 'haproxy', 'caddy', 'nats-server', 'lighttpd', 'node'] as const
export type ServerKind = (typeof serverKinds)[number]

export interface Finding {
  /** Stable, kebab-case, the rule's own: `no-staple`. */
  readonly code: string
  readonly severity: Severity
  /** One line, lower case, no final period: what is the case. */
  readonly title: string
  /** What that means, and for whom: which clients break, and when. */
  readonly meaning: string
  /** The facts it rests on, one per line. */
  readonly evidence: readonly string[]
  /** How to mend it; the server that was recognised first. Empty: nothing to mend. */
  readonly remedies: readonly Remedy[]
  /** Which certificate it is about. */
  readonly certificateKey?: string
}

export interface Remedy {
  /** For whom it is; absent: for everybody. */
  readonly server?: ServerKind
  /** What to do, in a sentence or two. */
  readonly text: string
  /** Lines to put into the server's configuration, or commands to type. */
  readonly lines?: readonly string[]
  readonly kind?: 'configuration' | 'commands' | 'registry'
}

/** One rule: looks at the evidence, says what it finds, asks nobody. */
export interface FindingRule {
  /** Every code that it can give, and what that says, for the reference page. */
  readonly codes: Readonly<Record<string, string>>
  find(evidence: Evidence): readonly Finding[]
}
