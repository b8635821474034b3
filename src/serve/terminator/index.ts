/** A TLS front for TCP backends that staples: the door to it. */
export { createTicketKeys } from './contexts.ts'
export type * from './events.ts'
export type {
  BackendOption,
  ClientAuth,
  FrontPlan,
  JudgePeer,
  ListenAddress,
  NatsOptions,
  PeerJudgement,
  PeerPolicy,
  PeerQuestion,
  PeerReason,
  PeerResponder,
  StapleSource,
  TerminatorCertificate,
  TerminatorOptions,
  TerminatorSite,
} from './options.ts'
export { createTerminator, type PreparedPlan, type Terminator, type TerminatorStatus } from './terminator.ts'
