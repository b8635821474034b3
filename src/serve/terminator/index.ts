/** A TLS front for TCP backends that staples: the door to it. */
export type * from './events.ts'
export type { ListenAddress, TerminatorCertificate, TerminatorOptions, TerminatorSite } from './options.ts'
export { createTerminator, type Terminator, type TerminatorStatus } from './terminator.ts'
