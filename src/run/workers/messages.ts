/**
 * What primary and workers say to each other: plain data, copied from process to process.
 *
 * A channel keeps the order of what is sent through it: staples that are sent before a plan are there before the plan.
 */
import type { AddressInfo } from 'node:net'
import type { ErrorCode } from '../../errors.ts'
import type { ServableSnapshot } from '../../keep/keeper/index.ts'
import type {
  FrontPlan,
  PeerJudgement,
  PeerQuestion,
  TerminatorCertificate,
  TerminatorEvent,
  TerminatorSite,
  TerminatorStatus,
} from '../../serve/terminator/index.ts'

export type ToWorker =
  /** The first thing a worker hears. */
  | { readonly type: 'welcome'; readonly ticketKeys: Buffer; readonly orphanage: Orphanage }
  | { readonly type: 'ticket-keys'; readonly ticketKeys: Buffer }
  | { readonly type: 'certificates'; readonly certificates: readonly SentCertificate[] }
  | { readonly type: 'staples'; readonly staples: readonly SentStaple[] }
  /** What no plan needs any more. */
  | { readonly type: 'forget'; readonly certificates: readonly string[]; readonly certificateKeys: readonly string[] }
  | { readonly type: 'ask'; readonly id: number; readonly request: Request }
  /** What was asked about a client. */
  | { readonly type: 'judged'; readonly id: number; readonly judgement: PeerJudgement }
  /** The last events have come: more may be sent. */
  | { readonly type: 'took' }
  | { readonly type: 'cut' }

/** What is answered. */
export type Request =
  | { readonly act: 'prepare'; readonly plan: SentPlan }
  | { readonly act: 'commit' }
  | { readonly act: 'abort' }
  | { readonly act: 'status' }
  | { readonly act: 'drain' }

/** The answer to each request. */
export interface Answers {
  readonly prepare: undefined
  readonly commit: readonly AddressInfo[]
  readonly abort: undefined
  readonly status: TerminatorStatus
  readonly drain: { readonly destroyed: number; readonly status: TerminatorStatus | undefined }
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
  /** A client is to be judged: one process asks CAs for all. */
  | { readonly type: 'judge'; readonly id: number; readonly question: PeerQuestion }
  | { readonly type: 'events'; readonly events: readonly SentEvents[] }
  /** Somebody else told it to end: it drains, and another may take its place. */
  | { readonly type: 'leaving' }

/** A plan whose certificates are named by what {@link SentCertificate} calls them: each is sent once. */
export type SentPlan = Omit<FrontPlan, 'sites'> & { readonly sites: readonly SentSite[] }
export type SentSite = Omit<TerminatorSite, 'certificates'> & { readonly certificates: readonly string[] }
export interface SentCertificate {
  readonly name: string
  readonly certificate: TerminatorCertificate
}

/** What is known of one certificate's staple; undefined when it is not kept. */
export interface SentStaple {
  readonly certificateKey: string
  readonly snapshot: ServableSnapshot | undefined
}

/** An error as plain data. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly code?: ErrorCode | string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** An event whose errors are plain data. */
export type SentEvent = { readonly type: TerminatorEvent['type'] } & Readonly<Record<string, unknown>>

/** An event, and how often something like it happened. */
export interface SentEvents {
  readonly event: SentEvent
  readonly times: number
}

/** How a worker lives on when its primary is gone. */
export interface Orphanage {
  /** Where it listens for a new primary: this path, a dot and its pid. Absent: nowhere. */
  readonly socket?: string
  /** How it writes its lines. */
  readonly format: 'text' | 'json'
}
