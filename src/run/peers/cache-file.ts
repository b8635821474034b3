/**
 * `cache.json`, nats-server's file of what CAs said about clients: read at the start, written whole, entry by entry in its
 * layout. Nothing in it is believed: each response is verified again before it counts.
 */
import { join } from 'node:path'
import { readWhole, writeWhole } from '../../keep/store/atomic-file.ts'
import type { HeldResponse } from './answers.ts'
import { decodeS2, encodeS2 } from './s2.ts'

/** What a file held. */
export interface ReadCache {
  /** By certificateKey. */
  readonly entries: readonly (readonly [string, HeldResponse])[]
  /** Entries that could not be taken: compressed ones, and damaged ones. */
  readonly compressed: number
  readonly damaged: number
}

/**
 * Reads the file of a directory.
 *
 * @returns undefined where there is none
 * @throws where it cannot be read, or is no such file
 */
export async function readCacheFile(directory: string): Promise<ReadCache | undefined> {
  const bytes = await readWhole(join(directory, fileName), mostFileBytes)
  if (bytes === undefined) return undefined
  const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('expected a JSON object')
  const entries: (readonly [string, HeldResponse])[] = []
  const passed = { compressed: 0, damaged: 0 }
  for (const [name, value] of Object.entries(parsed)) {
    const key = Buffer.from(name, 'base64')
    const held = key.length === 32 ? readEntry(value) : 'damaged'
    if (typeof held === 'string') passed[held]++
    else entries.push([key.toString('hex'), held])
  }
  return { entries, ...passed }
}

/** Writes all entries in the place of what the file held. @throws where that cannot be done; the old file stays then */
export async function writeCacheFile(
  directory: string,
  entries: Iterable<readonly [string, HeldResponse]>,
): Promise<void> {
  const parts: string[] = []
  // What is learned meanwhile is written next time.
  for (const [index, entry] of [...entries].entries()) {
    // Ten thousand would stop a front that serves in this process for a third of a second.
    if (index % mostAtOnce === mostAtOnce - 1) await new Promise((resolve) => setImmediate(resolve))
    parts.push(formatEntry(entry))
  }
  const text = parts.length === 0 ? '{}' : `{\n${parts.join(',\n')}\n}`
  await writeWhole(directory, fileName, Buffer.from(`${text}\n`))
}

/** Indented by one space, as nats-server has it. */
function formatEntry([key, held]: readonly [string, HeldResponse]): string {
  const { subject, cachedAt, certStatus, usableUntil, der } = held
  const value = {
    subject,
    cached_at: formatSeconds(cachedAt),
    resp_status: certStatus,
    resp_expires: formatSeconds(usableUntil),
    resp: Buffer.from(encodeS2(der)).toString('base64'),
  }
  const text = JSON.stringify(value, null, 1).replaceAll('\n', '\n ')
  return ` ${JSON.stringify(Buffer.from(key, 'hex').toString('base64'))}: ${text}`
}

function readEntry(value: unknown): HeldResponse | 'compressed' | 'damaged' {
  const { subject, cached_at, resp_status, resp_expires, resp } = (value ?? {}) as Record<string, unknown>
  const cachedAt = new Date(String(cached_at))
  const usableUntil = new Date(String(resp_expires))
  if (resp_status !== 'good' && resp_status !== 'revoked' && resp_status !== 'unknown') return 'damaged'
  if (typeof resp !== 'string' || Number.isNaN(cachedAt.getTime()) || Number.isNaN(usableUntil.getTime())) {
    return 'damaged'
  }
  const der = decodeS2(Buffer.from(resp, 'base64'), mostResponseBytes)
  if (typeof der === 'string') return der
  return { subject: String(subject ?? ''), cachedAt, certStatus: resp_status, usableUntil, der }
}

/** nats-server has no fractions. */
function formatSeconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`
}

const fileName = 'cache.json'
const mostAtOnce = 100
const mostResponseBytes = 65_536
/** Ten thousand entries of a few KiB are some 40 MB. */
const mostFileBytes = 256 * 1_048_576
