/** Snapshots of entries: what may be sent for a certificate until something happens, for another process to judge. */
import type { Entry, ServableSnapshot, Staple, StapleSnapshot } from './entry.ts'

/** Takes the snapshot of an entry. The bytes are the entry's own. */
export function snapshotEntry({ held, unknown, revocation, dueAt, unsupportedReason }: Entry): ServableSnapshot {
  return {
    held: held && snapshotStaple(held),
    unknown: unknown && snapshotStaple(unknown),
    revocation: revocation && {},
    dueAt,
    unsupportedReason,
  }
}

/** Tells whether two snapshots lead to the same judgements. */
export function isSameSnapshot(one: ServableSnapshot, other: ServableSnapshot): boolean {
  return (
    isSameStaple(one.held, other.held) &&
    isSameStaple(one.unknown, other.unknown) &&
    (one.revocation === undefined) === (other.revocation === undefined) &&
    one.dueAt === other.dueAt &&
    one.unsupportedReason === other.unsupportedReason
  )
}

function snapshotStaple({ der, certStatus, thisUpdate, usableUntil }: Staple): StapleSnapshot {
  return { der, certStatus, thisUpdate, usableUntil }
}

/** Every answer that is taken is a copy of its own, so the same bytes are the same answer. */
function isSameStaple(one: StapleSnapshot | undefined, other: StapleSnapshot | undefined): boolean {
  return one?.der === other?.der && one?.thisUpdate === other?.thisUpdate && one?.usableUntil === other?.usableUntil
}
