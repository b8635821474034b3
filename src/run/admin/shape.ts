/**
 * The JSON that programs read: every field with its meaning. What the doors send is picked by these tables and
 * docs/reference/api.md is made from them, so that a field of ours becomes a promise only when it is written down here.
 */
import type { DaemonStatus, FrontCounts, StapleStatus } from './subject.ts'

/** Of one certificate that is kept stapled. */
export const stapleFields: Readonly<Record<keyof StapleStatus, string>> = {
  certificateKey: "lower-case hex SHA-256 of the certificate's DER",
  label: "the certificate's file, as the configuration writes it",
  subject: 'as text: `CN=localhost,O=Example`',
  serialNumber: 'lower-case hex',
  sites: 'the sites that show it, each by its first name; empty while it waits',
  mustStaple: 'the certificate itself demands a staple (RFC 7633)',
  isRequired: 'it must not be shown without a staple: it demands one, or the mode is `always`',
  stapleState: '`missing`, `fresh`, `due`, `stale`, `revoked`, `unknown` or `unsupported`',
  certStatus: '`good` or `revoked`: what the staple held says',
  thisUpdate: 'when the CA knew it to be so',
  nextUpdate: 'when there will be a newer one, as the responder states it',
  effectiveNextUpdate: 'the same, or what stands for it where the responder states none',
  withdrawAt: 'when the staple held is no longer served: nextUpdate less the margin',
  refreshAt: 'when the responder is asked next; absent while it is being asked',
  responderURL: 'who answered last, else who is asked first',
  signer: 'who signed the staple held',
  source: '`network` or `store`: where the staple held came from',
  lastFetch: 'the last answer that passed every rule, whatever it said',
  lastError: 'why the last attempt failed: `code`, `message`, `at`; absent after a success',
  failures: 'attempts that failed in a row',
  revocationTime: 'since when it is revoked',
  revocationReason: 'as RFC 5280 calls it: `keyCompromise`',
  unknownUntil: 'until when a verified `unknown` stands beside what is held',
  unsupportedReason: 'why no responder is ever asked',
  isUnsaved: 'the staple held is not in the store yet',
  notAfter: 'when the certificate itself expires',
  waiting: 'set on a new certificate whose predecessor is still shown: the `cause`, and the `deadline` if there is one',
}

/** Of the daemon. */
export const statusFields: Readonly<Record<keyof DaemonStatus | 'at' | 'isReady', string>> = {
  at: 'the moment that all of this is about',
  pid: 'the process that keeps the staples',
  version: 'of Staplewright',
  startedAt: 'when it started',
  phase: '`closed` (the doors wait for staples), `open` or `draining`',
  isReady: 'what `/readyz` says',
  causes: 'why it is not ready; empty when it is',
  configFile: 'absolute',
  addresses: 'where the front listens, each as `host:port`',
  front: 'counts of the front, below',
  workers: 'the processes that serve: `pid` and `state`, which is `serving`, `starting` or `gone`',
  peerCache:
    'what is held of what CAs said about clients (`ocsp_cache`): `type`, `hits` and `misses` since the start, and how many answers are `good`, `revoked`, `unknown`; absent where no CA is asked about clients',
  lastReload: 'the last reload: `at`, `isDone`, `message`; absent when there was none',
  staples: 'one object for each certificate, as in `/api/staples`',
}

/** Of the front: how many. */
export const frontFields: Readonly<Record<keyof FrontCounts, string>> = {
  connections: 'open now',
  handshakes: 'under way now',
  accepted: 'connections accepted since the start',
  refusedConnections: 'closed unread, a limit being reached',
  secured: 'handshakes done',
  failedHandshakes: 'failed or cut',
  refusedHandshakes: 'refused by a policy',
  stapled: 'clients that asked for a staple and were given one',
  unstapled: 'clients that asked for a staple on a certificate that is kept stapled and were given none',
  failedBackends: 'clients closed because no backend could be reached',
  acceptedPeers: 'clients let in by `ocsp_peer`, those that only a switch let in among them',
  warnedPeers: 'clients that only a switch of `ocsp_peer` let in',
  refusedPeers: 'clients refused by `ocsp_peer`',
  closedPeers: 'connections that were open and were cut by `ocsp_peer { recheck }`',
}

/** Whether the front serves and nothing speaks against it. */
export function isReady({ phase, causes }: Pick<DaemonStatus, 'phase' | 'causes'>): boolean {
  return phase === 'open' && causes.length === 0
}

/** Why it is not ready: its causes, or at least its phase. Empty when it is. */
export function causesOf({ phase, causes }: Pick<DaemonStatus, 'phase' | 'causes'>): readonly string[] {
  if (phase === 'open' || causes.length > 0) return causes
  return [phase === 'closed' ? 'the doors are closed' : 'the front is draining']
}

/** Formats the whole answer of `/api/status` as JSON. */
export async function formatStatus(status: DaemonStatus, at: Date): Promise<string> {
  const { front, staples, ...rest } = status
  const all = { ...rest, at, isReady: isReady(status), causes: causesOf(status), front: pick(frontFields, front) }
  return await formatWithStaples(pick(statusFields, all), staples)
}

/** Formats the whole answer of `/api/staples` as JSON. */
export async function formatStaples({ staples }: Pick<DaemonStatus, 'staples'>, at: Date): Promise<string> {
  return await formatWithStaples({ at }, staples)
}

/** A hundred thousand staples take seconds: some at a time, and the front goes on in between. */
async function formatWithStaples(head: object, staples: readonly StapleStatus[]): Promise<string> {
  const parts: string[] = []
  for (let from = 0; from < staples.length; from += mostAtOnce) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve))
    const some = staples.slice(from, from + mostAtOnce).map((staple) => pick(stapleFields, staple))
    parts.push(JSON.stringify(some, null, 2).slice('['.length, -'\n]'.length).replaceAll('\n', '\n  '))
  }
  const list = parts.length === 0 ? '[]' : `[${parts.join(',')}\n  ]`
  return `${JSON.stringify(head, null, 2).slice(0, -'\n}'.length)},\n  "staples": ${list}\n}\n`
}

const mostAtOnce = 100

/** In the order of the table, and nothing that it does not name. */
function pick(fields: object, from: object): object {
  const values = new Map(Object.entries(from))
  return Object.fromEntries(Object.keys(fields).flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : [])))
}
