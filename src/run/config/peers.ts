/**
 * What `tls { ocsp_peer }` and `ocsp_cache` say: whether and how CAs are asked about clients, and where answers rest.
 */
import { resolve } from 'node:path'
import { isGiven, look, valueOf } from './block.ts'
import * as keys from './keys.ts'
import type { Report } from './report.ts'
import type { OcspPeerSettings, PeerCacheSettings } from './settings.ts'
import { examineDirectory } from './store-dir.ts'
import type { Block, Located } from './type.ts'

/** Reads `ocsp_peer` of one `tls` block; undefined when it is off, or cannot be on. */
export function readOcspPeer(
  tls: Located<Block>,
  path: string,
  isVerifying: boolean,
  report: Report,
): OcspPeerSettings | undefined {
  const given = look(tls.value, keys.ocspPeer)
  if (given === undefined || given.value === false) return undefined
  const block = given.value === true ? noBlock : given.value
  if (given.value !== true) {
    const verify = look(block, keys.peerVerify)
    if (!isGiven(block, keys.peerVerify)) {
      report.note(given.at, `${path}.ocsp_peer`, 'has no effect without `verify: true` in it, as in nats-server')
    }
    if (!verify?.value) return undefined
  }
  if (!isVerifying) {
    return report.refuse(given.at, `${path}.ocsp_peer`, {
      summary: 'has nobody to ask about: clients are not asked for a certificate',
      found: 'ocsp_peer without verify',
      expected: '`verify: true` and ca_file beside it',
      hint: 'add `verify: true` to `tls { … }`, or leave it out',
    })
  }
  return {
    caTimeoutMs: valueOf(block, keys.caTimeout),
    allowedClockSkewMs: valueOf(block, keys.peerClockSkew),
    maxAgeWithoutNextUpdateMs: valueOf(block, keys.cacheTtlWhenNextUpdateUnset),
    isWarnOnly: valueOf(block, keys.warnOnly),
    isUnknownGood: valueOf(block, keys.unknownIsGood),
    isUnreachableAllowed: valueOf(block, keys.allowWhenCaUnreachable),
    whenNoResponder: valueOf(block, keys.whenNoResponder),
    revocation: valueOf(block, keys.peerRevocation),
    recheckMs: valueOf(block, keys.recheck),
  }
}

/** Reads `ocsp_cache`; undefined where no CA is asked about clients. */
export async function readPeerCache(
  top: Block,
  isAsking: boolean,
  workingDirectory: string,
  report: Report,
): Promise<PeerCacheSettings | undefined> {
  const given = look(top, keys.ocspCache)
  if (!isAsking) {
    const isOn = given !== undefined && given.value !== false
    if (isOn) report.note(given.at, 'ocsp_cache', 'has no effect: no `tls { ocsp_peer }` is on')
    return undefined
  }
  const block = typeof given?.value === 'object' ? given.value : noBlock
  if (given?.value === false || valueOf(block, keys.cacheType) === 'none') return { type: 'none' }
  const directory = resolve(workingDirectory, valueOf(block, keys.localStore))
  const complaint = await examineDirectory(directory)
  if (complaint !== undefined) {
    const at = look(block, keys.localStore)?.at ?? given?.at ?? top.entries.get(keys.tls.name)?.at
    if (at !== undefined) report.refuse(at, 'ocsp_cache.local_store', complaint)
  }
  return {
    type: 'local',
    directory,
    isRevokedPreserved: valueOf(block, keys.preserveRevoked),
    saveIntervalMs: valueOf(block, keys.saveInterval),
  }
}

const noBlock: Block = { entries: new Map() }
