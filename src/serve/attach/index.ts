/** Staples into Node's own tls, https and http2 servers: the door to it. */
export { staple } from './attach.ts'
export type * from './events.ts'
export type { StapleOptions } from './options.ts'
export type { Mode, Policies, RefusalReason, StopReason } from './policy.ts'
export type { StapledCertificate, Stapler, StaplerStatus } from './stapler.ts'
export type { PendingCertificate } from './waiting.ts'
