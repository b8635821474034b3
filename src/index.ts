/**
 * Staplewright's front door: `staple(server)` for Node servers. Only re-exports.
 *
 * The other doors are `staplewright/ocsp` (the standards, as pure functions), `staplewright/keeper` (the life of staples)
 * and `staplewright/store` (where they rest).
 */
export { type ErrorCode, type ErrorRow, errorTable, isStapleError, StapleError } from './errors.ts'
export * from './serve/attach/index.ts'
