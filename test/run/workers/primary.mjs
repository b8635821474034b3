/**
 * A primary with workers, as a process that a test can freeze and kill: the built host on a real keeper, told what to do
 * by lines of JSON on stdin, telling what happens by lines of JSON on stdout.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const { count, plan, kept, orphanage, lookMs } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const dist = process.env.STAPLEWRIGHT_DIST ?? new URL('../../../dist/', import.meta.url).href
const load = (path) => import(new URL(path, dist).href)
const { createKeeper, createFetcher, systemClock } = await load('keep/keeper/index.js')
const { memoryStore } = await load('keep/store/index.js')
const { createTicketKeys } = await load('serve/terminator/index.js')
const { createWorkersHost } = await load('run/workers/workers-host.js')

const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const keeper = createKeeper({
  store: memoryStore(),
  fetcher: createFetcher({ clock: systemClock, privateAddresses: 'allow', proxy: 'none' }),
})
for (const { certificate, issuers } of kept) {
  keeper.add({
    certificate: Buffer.from(certificate, 'base64'),
    issuerCandidates: issuers.map((issuer) => Buffer.from(issuer, 'base64')),
    isRequired: true,
  })
}
const host = createWorkersHost({
  count,
  staples: keeper,
  clock: systemClock,
  ticketKeys: createTicketKeys(),
  say: (line) => tell({ line }),
  ...(orphanage && { orphanage }),
  ...(lookMs && { lookMs }),
})
host.subscribe((event) =>
  tell({
    event: { ...event, ...(event.error && { error: { code: event.error.code, message: event.error.message } }) },
  }),
)

let prepared
const acts = {
  settled: () => Promise.all(keeper.entries().map((entry) => keeper.settled(entry.certificateKey))),
  prepare: async (wanted = plan) => {
    prepared = await host.prepare(wanted)
  },
  commit: () => prepared.commit(),
  abort: () => prepared.abort(),
  status: () => host.status(),
  staples: () => keeper.entries().map(({ stapleState, lastError }) => ({ stapleState, lastError })),
  refresh: () => keeper.refresh(),
  /** What workers are started with from now on. */
  env: (given) => void Object.assign(process.env, given),
  keys: () => host.setTicketKeys(createTicketKeys()),
  cut: () => host.cut(),
  memory: () => {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  },
  drain: async () => {
    await host.drain()
    await keeper.close()
    process.stdin.destroy()
  },
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, act, given } = JSON.parse(line)
  try {
    tell({ id, value: (await acts[act](given)) ?? null })
  } catch ({ name, code, message }) {
    tell({ id, error: { name, code, message } })
  }
})
tell({ pid: process.pid })
