/** What workers are sent before and beside their plans: certificates once each, staples whenever they change. */
import type { Keeper, ServableSnapshot } from '../../keep/keeper/index.ts'
import { isSameSnapshot } from '../../keep/keeper/snapshot.ts'
import type { StapleSource } from '../../serve/terminator/index.ts'
import type { Member } from './member.ts'
import type { Parcel } from './parcel.ts'

/** What workers need of a keeper: what may be sent, in a form that can be sent to them. */
export type SnapshotSource = Pick<StapleSource, 'subscribe'> & Pick<Keeper, 'snapshot'>

export interface Supply {
  /** Sends what a plan needs and the worker does not have. */
  load(member: Member, parcel: Parcel): Promise<void>
  /** Sends a staple of a plan anew, if anything about it has changed. */
  renew(member: Member, certificateKey: string): Promise<void>
  /** Lets workers forget what none of these plans needs. */
  keepOnly(members: readonly Member[], parcels: readonly Parcel[]): void
}

/** Creates the supply out of a keeper. */
export function createSupply(staples: SnapshotSource): Supply {
  /** Each part is looked up when it is sent, so that what is renewed meanwhile is not overtaken by what was before. */
  async function sendStaples(member: Member, certificateKeys: Iterable<string>): Promise<void> {
    for (const batch of batches([...certificateKeys])) {
      const changed = batch
        .map((certificateKey) => ({ certificateKey, snapshot: staples.snapshot(certificateKey) }))
        .filter(({ certificateKey, snapshot }) => isNews(member, certificateKey, snapshot))
      for (const { certificateKey, snapshot } of changed) member.staples.set(certificateKey, snapshot)
      if (changed.length > 0) await member.tell({ type: 'staples', staples: changed })
    }
  }

  return {
    async load(member, { certificates, certificateKeys }) {
      const missing = [...certificates]
        .filter(([name]) => !member.certificates.has(name))
        .map(([name, certificate]) => ({ name, certificate }))
      for (const { name } of missing) member.certificates.add(name)
      // In parts, and each only when the one before is written: ten thousand chains are 40 MB.
      for (const batch of batches(missing)) await member.tell({ type: 'certificates', certificates: batch })
      await sendStaples(member, certificateKeys)
    },
    async renew(member, certificateKey) {
      if (member.staples.has(certificateKey)) await sendStaples(member, [certificateKey])
    },
    keepOnly(members, parcels) {
      const isNeeded = (certificateKey: string) => parcels.some((parcel) => parcel.certificateKeys.has(certificateKey))
      const isShown = (name: string) => parcels.some((parcel) => parcel.certificates.has(name))
      for (const member of members) {
        const certificateKeys = [...member.staples.keys()].filter((key) => !isNeeded(key))
        const certificates = [...member.certificates].filter((name) => !isShown(name))
        if (certificates.length + certificateKeys.length === 0) continue
        for (const key of certificateKeys) member.staples.delete(key)
        for (const name of certificates) member.certificates.delete(name)
        void member.tell({ type: 'forget', certificates, certificateKeys })
      }
    },
  }
}

function isNews(member: Member, certificateKey: string, snapshot: ServableSnapshot | undefined): boolean {
  const before = member.staples.get(certificateKey)
  if (before === undefined || snapshot === undefined) return before !== snapshot || !member.staples.has(certificateKey)
  return !isSameSnapshot(before, snapshot)
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += batchSize) yield all.slice(start, start + batchSize)
}

const batchSize = 200
