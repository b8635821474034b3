// Compiled in a consumer's project: a keeper put together by hand, and its events.
import { createFetcher, createKeeper, type Keeper, type StapleState, systemClock } from 'staplewright/keeper'
import { memoryStore } from 'staplewright/store'

declare const der: Uint8Array

export const keeper: Keeper = createKeeper({
  store: memoryStore(),
  fetcher: createFetcher({ clock: systemClock, proxy: 'none' }),
  maxIntervalMs: 3_600_000,
})
const kept = keeper.add({ certificate: der, issuerCandidates: [der], isRequired: true, label: 'server.pem' })

const staple: Uint8Array | undefined = kept.servable().staple
const state: StapleState = keeper.servable(kept.certificateKey).stapleState
export const summary = `${state}: ${staple?.length ?? 0} bytes`

keeper.subscribe((event) => {
  if (event.type === 'revoked') console.log(event.label, event.revocationTime?.toISOString())
  if (event.type === 'refresh-failed') console.log(event.error.code, event.retryAt?.toISOString())
})
keeper.on('refreshed', ({ isNew, entry }) => console.log(isNew, entry.nextUpdate?.toISOString()))
// @ts-expect-error there is no such event
keeper.on('renewed', () => {})
// @ts-expect-error a keeper needs a store
createKeeper({ fetcher: createFetcher({ clock: systemClock }) })
// @ts-expect-error a fetcher is handed its clock
createFetcher({})
// @ts-expect-error a certificate is its decoded form or DER, not PEM text
keeper.add({ certificate: '-----BEGIN CERTIFICATE-----' })
