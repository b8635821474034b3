/** A TLS front for TCP backends that staples: the door to it. */
export { createTicketKeys } from './contexts.ts'
export type * from './events.ts'
export type {
  BackendOption,
  ClientAuth,
  FrontPlan,
  ListenAddress,
  NatsOptions,
  StapleSource,
  TerminatorCertificate,
  TerminatorOptions,
  TerminatorSite,
} from './options.ts'
export { createTerminator, type PreparedPlan, type Terminator, type TerminatorStatus } from './terminator.ts'
