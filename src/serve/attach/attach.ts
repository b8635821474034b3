/**
 * `staple(server)`: one call that makes a tls, https or http2 server staple every handshake.
 *
 * It puts together what the other files of this folder are: the certificates shown, the one listener, the wait for the
 * first staples, and (with `front`) a server per key type. It never ends the process: policies become events.
 */
import { createSecureContext, type SecureContextOptions, Server } from 'node:tls'
import { systemClock } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import { createKeeper, type KeeperEvent } from '../../keep/keeper/index.ts'
import { fileStore, memoryStore } from '../../keep/store/index.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { createAnnouncer } from './announcer.ts'
import { type Bundle, readBundle, readBundles, refuseSeveralKeyTypes } from './bundle.ts'
import type { StaplerEvent } from './events.ts'
import { createKeyTypeFront, type KeyTypeFront } from './key-type-front.ts'
import { type Asking, defaultStartTimeoutMs, resolvePolicies, type StapleOptions } from './options.ts'
import { hasSeparateContexts, requireOcspSupport } from './platform.ts'
import { judgeStop } from './policy.ts'
import { createShowcase, type Shown } from './shown.ts'
import type { Stapler } from './stapler.ts'
import { createStatusListener, ownStatusRequests } from './status-listener.ts'
import { awaitStaples, listPending } from './waiting.ts'

/**
 * Staples every handshake of a server from the moment it resolves, and keeps the staples fresh.
 *
 * Certificates come from `cert` or `certificates`, from contexts added through the stapler, or from the handshakes that
 * show them. It resolves when the staples of all that are known are in, or after `startTimeoutMs`; `pending` lists the
 * rest. A responder that is down never makes it reject. Call it before `listen`, so that the first handshake is stapled.
 *
 * @see RFC 6066 §8 (status_request), RFC 8446 §4.4.2.1 (in TLS 1.3)
 * @throws TypeError when an option is not as expected; {@link StapleError} `ERR_ATTACH_LISTENER` when somebody else
 * answers the server's status requests, `ERR_ATTACH_DUAL_KEY` when one context has several key types (see `front`),
 * `ERR_ATTACH_UNSUPPORTED` where Node cannot staple, `ERR_X509_…` when a given certificate cannot be read
 */
export async function staple(server: Server, options: StapleOptions = {}): Promise<Stapler> {
  if (!(server instanceof Server)) throw new TypeError('server: expected a tls, https or http2 secure server')
  requireOcspSupport()
  const resolved = resolvePolicies(options)
  const { policies } = resolved
  const asking = readAsking(options)
  const issuers = readBundles('ca', options.ca).flatMap(({ leaf, others }) => [leaf, ...others])
  const own = readBundles('cert', options.cert)
  const named = readBundles('certificates', options.certificates)
  const separation = hasSeparateContexts() ? 'separate' : 'mingled'
  if (!options.front) {
    refuseSeveralKeyTypes(leavesOf(own), 'one')
    refuseSeveralKeyTypes(leavesOf([...own, ...named]), separation)
  }

  const clock = options.clock ?? systemClock
  const startTimeoutMs = options.startTimeoutMs ?? defaultStartTimeoutMs
  if (!(startTimeoutMs >= 0)) throw new TypeError(`startTimeoutMs: expected milliseconds, found ${startTimeoutMs}`)
  const fetcher = options.keeper ? undefined : (options.fetcher ?? createFetcher({ clock }))
  const store = options.keeper ? undefined : (options.store ?? createStore(options.storeDir))
  const keeper = options.keeper ?? createKeeper({ clock, fetcher: fetcher as never, store: store as never })

  const { announce, on, off, subscribe, clear } = createAnnouncer<StaplerEvent>()
  if (options.onEvent) subscribe(options.onEvent)
  const showcase = createShowcase({ keeper, clock, resolved, asking, issuers, announce })
  const { listener, tally } = createStatusListener(showcase, policies, clock, announce)
  let release = () => {}
  let front: KeyTypeFront | undefined
  let isResolved = false
  let isClosed = false

  /** The certificates of the default context, to be let go when another takes its place. */
  let defaults: readonly Shown[] = []
  /** Those of contexts beside it. */
  const added: Shown[] = []

  function hear(event: KeeperEvent): void {
    if (event.certificateKey === undefined) announce(event)
    else if (showcase.all().some((shown) => shown.certificateKey === event.certificateKey)) announce(event)
    else return
    if (isResolved) askToStop()
  }

  function askToStop(): void {
    for (const shown of showcase.all()) {
      const reason = shown.entry && judgeStop(shown.entry.servable(), policies)
      if (reason === shown.stopTold) continue
      shown.stopTold = reason
      const { certificateKey, label } = shown
      if (reason) announce({ type: 'stop', at: clock.now(), reason, certificateKey, label })
    }
  }

  async function prepare(
    option: string,
    context: SecureContextOptions,
    beside: () => readonly Shown[],
  ): Promise<readonly Shown[]> {
    if (isClosed) throw new TypeError('stapler: it is closed')
    const bundles = readBundles(`${option}.cert`, context.cert)
    // A key that does not fit fails here, before anything has changed.
    createSecureContext(context)
    if (!options.front) {
      refuseSeveralKeyTypes(leavesOf(bundles), 'one')
      if (!hasSeparateContexts()) {
        refuseSeveralKeyTypes([...beside().map(({ leaf }) => leaf), ...leavesOf(bundles)], 'mingled')
      }
    }
    const shown = bundles.map((bundle) => showcase.add(bundle, 'context'))
    await awaitStaples(keeper, clock, startTimeoutMs, shown)
    return shown
  }

  async function close(): Promise<void> {
    if (isClosed) return
    isClosed = true
    release()
    front?.close()
    unsubscribe()
    showcase.clear()
    clear()
    if (!options.keeper) await keeper.close()
    if (!options.fetcher) await fetcher?.close()
    if (!options.store) await store?.close()
  }

  const unsubscribe = keeper.subscribe(hear)
  try {
    if (resolved.mode !== 'never') {
      release = ownStatusRequests(server, listener, () => announce({ type: 'listener-refused', at: clock.now() }))
    }
    if (options.front)
      front = createKeyTypeFront(server, options, clock, resolved.mode === 'never' ? undefined : listener)
    const given = [...own, ...named].map((bundle) => showcase.add(bundle, 'given'))
    // Without `cert`, a single certificate can only be the default one; of several nobody knows.
    defaults = own.length > 0 || given.length === 1 ? given.slice(0, own.length || 1) : []
    await awaitStaples(keeper, clock, startTimeoutMs, showcase.all())
  } catch (error) {
    await close()
    throw error
  }
  isResolved = true
  // A revocation may have come in while we waited, and nobody could listen for 'stop' before now.
  setImmediate(() => {
    if (!isClosed) askToStop()
  })

  return {
    get pending() {
      return listPending(showcase.all())
    },
    status: () => ({
      certificates: showcase.all().map(({ certificateKey, label, origin, entry }) => ({
        certificateKey,
        label,
        origin,
        ...(entry && { entry: entry.status() }),
      })),
      ...tally,
    }),
    async addContext(hostname, context) {
      const shown = await prepare('context', context, showcase.all)
      ;(front ?? server).addContext(hostname, context)
      added.push(...shown)
      return listPending(shown)
    },
    async setSecureContext(context) {
      const shown = await prepare('options', context, () => added)
      ;(front ?? server).setSecureContext(context)
      for (const replaced of defaults) showcase.remove(replaced)
      defaults = shown
      return listPending(shown)
    },
    async refresh(certificateKey) {
      const mine = showcase
        .all()
        .filter((shown) => shown.entry && (certificateKey ?? shown.certificateKey) === shown.certificateKey)
      if (certificateKey !== undefined && mine.length === 0) await keeper.refresh(certificateKey)
      await Promise.all(mine.map((shown) => keeper.refresh(shown.certificateKey)))
    },
    on,
    off,
    subscribe,
    close,
  }
}

function leavesOf(bundles: readonly Bundle[]): Certificate[] {
  return bundles.map(({ leaf }) => leaf)
}

function createStore(directory: string | undefined) {
  return directory === undefined ? memoryStore() : fileStore({ directory })
}

function readAsking({ url, urls, hashAlgorithm, method, responderCertificate }: StapleOptions): Asking {
  const responderURLs = [...(url === undefined ? [] : [url]), ...(urls ?? [])]
  for (const each of responderURLs) {
    if (!/^https?:\/\//.test(each))
      throw new TypeError(`urls: expected http:// or https:// addresses, found ${JSON.stringify(each)}`)
  }
  return {
    ...(responderURLs.length > 0 && { responderURLs }),
    ...(hashAlgorithm && { hashAlgorithm }),
    ...(method && { method }),
    ...(responderCertificate && {
      responderCertificate: readBundle('responderCertificate', responderCertificate).leaf,
    }),
  }
}
