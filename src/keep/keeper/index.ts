/**
 * The life of staples: the door `staplewright/keeper`. Only re-exports.
 *
 * A keeper loads, fetches, verifies, refreshes and withdraws the staple of every certificate added to it, and says at
 * each moment what may be sent. Decisions are pure (step.ts), in the order of never-worse.ts, schedule.ts and window.ts.
 *
 * @see RFC 6960 §2.4 and §3.2, RFC 6066 §8, RFC 8446 §4.4.2.1, RFC 7633
 */
export { type ErrorCode, isStapleError, StapleError } from '../../errors.ts'
export { type Clock, systemClock } from '../clock.ts'
export {
  createFetcher,
  type FetchedStaple,
  type Fetcher,
  type FetcherOptions,
  type StapleQuestion,
} from '../fetch/index.ts'
export type { Suspect } from './clock-watch.ts'
export type { ServableSnapshot, StapleSnapshot, StapleState } from './entry.ts'
export type { ClockJumped, EntryEvent, EventContext, KeeperEvent, KeeperEventOf, KeeperWarning } from './events.ts'
export { createKeeper } from './keeper.ts'
export type { KeptCertificate } from './kept-certificate.ts'
export type { Keeper, KeeperOptions, KeeperVerifyPolicies, KeptEntry } from './options.ts'
export type { Servable } from './servable.ts'
export type { EntryStatus } from './status.ts'
