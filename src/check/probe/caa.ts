/**
 * CAA records of a name: who may issue for it.
 *
 * @see RFC 8659 §3 - the name, then each name above it, until one has records
 */
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { inTime, type Limits } from './limits.ts'
import type { CaaRecord, Target } from './record.ts'
import { shorten } from './words.ts'

/** One record as Node gives it: its flags, and one property named by its tag. */
export type ResolveCaa = (name: string) => Promise<readonly object[]>

/** @returns undefined: the target is an address, which has none */
export async function findCaa(target: Target, limits: Limits, resolve?: ResolveCaa): Promise<CaaRecord | undefined> {
  const given = target.serverName ?? target.host
  if (isIP(given)) return undefined
  const name = (domainToASCII(given) || given).replace(/\.$/, '')
  const resolver = resolve ? undefined : new Resolver({ timeout: limits.timeoutMs, tries: 1 })
  const ask = resolve ?? ((one: string) => (resolver as Resolver).resolveCaa(one))
  const labels = name.split('.')
  for (let index = 0; index < labels.length; index++) {
    const candidate = labels.slice(index).join('.')
    try {
      const found = await inTime(limits, 'the name server did not answer', candidate, ask(candidate))
      const records = found.flatMap(readRecord)
      if (records.length > 0) return { name: candidate, records }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENODATA' || code === 'ENOTFOUND') continue
      resolver?.cancel()
      return { records: [], failure: `${candidate}: ${message}` }
    }
  }
  return { records: [] }
}

function readRecord(found: object): CaaRecord['records'][number][] {
  const { critical, type: _type, ...rest } = found as Record<string, unknown>
  const [tag, value] = Object.entries(rest)[0] ?? []
  // RFC 8659 §4.1: the first bit of the flags
  return tag === undefined ? [] : [{ critical: (Number(critical) & 0x80) !== 0, tag, value: shorten(String(value)) }]
}
