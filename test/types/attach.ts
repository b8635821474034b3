// Compiled in a consumer's project: one line for each kind of server, and the events of a stapler.
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer } from 'node:tls'
import { isStapleError, type Stapler, staple } from 'staplewright'
import { fileStore } from 'staplewright/store'

const options = { cert: '', key: '' }
export const staplers: Promise<Stapler>[] = [
  staple(createServer(options), options),
  staple(createHttpsServer(options), { ...options, storeDir: './staples' }),
  staple(createSecureServer(options), { mode: 'must', onStale: 'refuse', store: fileStore({ directory: '.' }) }),
]

const stapler = await staple(createServer(options))
stapler.on('stop', ({ reason, label }) => console.error(label, reason))
stapler.on('refreshed', ({ entry }) => console.log(entry.nextUpdate?.toISOString()))
for (const { label, stapleState } of stapler.pending) console.log(label, stapleState)
const { stapled } = stapler.status()
export const share: number = stapled

try {
  await stapler.addContext('b.example.net', options)
} catch (thrown) {
  if (isStapleError(thrown, 'ERR_ATTACH_DUAL_KEY')) console.error(thrown.message)
}
// @ts-expect-error there is no such mode
staple(createServer(), { mode: 'sometimes' })
// @ts-expect-error there is no such event
stapler.on('renewed', () => {})
