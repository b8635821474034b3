/**
 * What every server file of this folder says about its server: for each trouble, what to write where.
 *
 * Paths in the lines are examples with the target's name in them; all else is meant to be pasted.
 */
import type { Remedy, ServerKind } from '../finding.ts'

/** What the lines are filled in with. */
export interface RemedyFacts {
  /** The name that is served, as it may stand in a path. */
  readonly name: string
  readonly certificateKey: string
  /** Where its responder is: a name needs a resolver, an address does not. */
  readonly responderHost?: string
}

/** Absent: the server has no such switch, or does not need it. */
export interface ServerRemedies {
  readonly kind: ServerKind
  /** Nothing is stapled: switch it on. */
  readonly switchOn: (facts: RemedyFacts) => Remedy
  /** Some handshakes go without: have the staple there before the first one. */
  readonly everyHandshake?: (facts: RemedyFacts) => Remedy
  /** What is stapled is stale or wrong: replace it. */
  readonly renew: (facts: RemedyFacts) => Remedy
  /** It passes the responder's errors on. */
  readonly hideErrors?: (facts: RemedyFacts) => Remedy
  /** There is nothing to staple: spare the server the try. */
  readonly switchOff?: (facts: RemedyFacts) => Remedy
  /** It sends the leaf without its intermediate. */
  readonly sendChain: (facts: RemedyFacts) => Remedy
  /** It may not reach the responder: by a name, a port, a proxy. */
  readonly reachResponder?: (facts: RemedyFacts) => Remedy
}

/** The trouble that a remedy is for. */
export type Trouble = Exclude<keyof ServerRemedies, 'kind'>
