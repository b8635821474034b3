import { describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import type { EventContext, KeeperEvent } from '../../../src/keep/keeper/index.ts'
import { createMetrics, type Measured, type Metrics, metricTable } from '../../../src/run/metrics/index.ts'
import { mostListed } from '../../../src/run/metrics/sample.ts'
import { daemonStatus, stapleStatus } from '../../kit/admin-subject.ts'
import { parseScrape, valueOf } from '../../kit/prometheus.ts'

const certificate = { certificate: 'server.pem', sites: 'localhost,www.example.net' }
const at = new Date('2026-01-01T00:00:00Z')

async function scrape(metrics: Metrics, measured: Measured = daemonStatus()) {
  return parseScrape((await metrics.scrape(measured)).text)
}

describe('a scrape', () => {
  test('is the text format 0.0.4 and holds nothing that is not in the table', async () => {
    const { contentType, text } = await createMetrics().scrape(daemonStatus())
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    const metrics = parseScrape(text)
    for (const [name, { type, help, series }] of metrics) {
      const row = metricTable[name as keyof typeof metricTable]
      expect({ type, help }, name).toEqual({ type: row.type, help: row.help })
      for (const { labels } of series) expect(Object.keys(labels).sort(), name).toEqual([...row.labels].sort())
    }
  })

  test('holds every metric of the table once there is something to tell of each', async () => {
    const metrics = createMetrics()
    for (const event of everyEvent) metrics.record(event)
    const lastReload = { at, isDone: true, message: '' }
    const found = await scrape(metrics, daemonStatus({ lastReload }))
    const told = [...found].filter(([, { series }]) => series.length > 0).map(([name]) => name)
    expect(told.sort()).toEqual(Object.keys(metricTable).sort())
  })

  test("tells a staple's moments in seconds, under its label and the names of its sites", async () => {
    const found = await scrape(createMetrics())
    const moments = ['this_update', 'next_update', 'withdraw', 'refresh', 'last_success'].map((moment) =>
      valueOf(found, `staplewright_staple_${moment}_timestamp_seconds`, certificate),
    )
    expect(moments.map((each) => new Date((each ?? 0) * 1_000).toISOString())).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-08T00:00:00.000Z',
      '2026-01-07T23:55:00.000Z',
      '2026-01-04T12:00:00.000Z',
      '2026-01-01T00:00:10.000Z',
    ])
  })

  test('tells of clients that ocsp_peer judged by what became of them, and why', async () => {
    const metrics = createMetrics()
    for (const event of everyEvent) metrics.record(event)
    const found = await scrape(metrics)
    const outcomes = ['accepted', 'warned', 'refused', 'closed']
    const name = 'staplewright_front_peers_total'
    expect(outcomes.map((outcome) => valueOf(found, name, { outcome }))).toEqual([7, 2, 3, 1])
    const closed = { outcome: 'closed', reason: 'revoked' }
    expect(valueOf(found, 'staplewright_front_peer_reasons_total', closed)).toBe(3)
    expect(valueOf(found, 'staplewright_peer_cache_questions_total', { outcome: 'hit' })).toBe(40)
    expect(valueOf(found, 'staplewright_peer_cache_answers', { status: 'revoked' })).toBe(2)
  })

  test('tells nothing of a cache of answers about clients where there is none', async () => {
    const { peerCache: _, ...rest } = daemonStatus()
    expect((await scrape(createMetrics(), rest)).get('staplewright_peer_cache_answers')?.series ?? []).toEqual([])
  })

  test.each(['missing', 'fresh', 'due', 'stale', 'revoked', 'unknown', 'unsupported'] as const)(
    'says 1 for the state %s and 0 for the others',
    async (stapleState) => {
      const found = await scrape(createMetrics(), daemonStatus({ staples: [stapleStatus({ stapleState })] }))
      const series = found.get('staplewright_staple_state')?.series ?? []
      expect(series).toHaveLength(7)
      expect(series.filter(({ value }) => value === 1).map(({ labels }) => labels.state)).toEqual([stapleState])
      expect(valueOf(found, 'staplewright_certificates', { state: stapleState })).toBe(1)
    },
  )

  test('leaves out the moments that a missing staple does not have', async () => {
    const {
      thisUpdate: _,
      nextUpdate: _1,
      effectiveNextUpdate: _2,
      withdrawAt: _3,
      refreshAt: _4,
      lastFetch: _5,
      ...bare
    } = stapleStatus({ stapleState: 'missing' })
    const found = await scrape(createMetrics(), daemonStatus({ staples: [bare] }))
    const moments = [...found].filter(([name]) => /^staplewright_staple_.*_timestamp_seconds$/.test(name))
    expect(moments.flatMap(([, { series }]) => series)).toEqual([])
  })

  test('escapes what stands in names', async () => {
    const label = 'a "b" \\ c\nd'
    const found = await scrape(createMetrics(), daemonStatus({ staples: [stapleStatus({ label, sites: [] })] }))
    expect(valueOf(found, 'staplewright_staple_failures', { certificate: label, sites: '' })).toBe(0)
  })

  test('takes the counts of the front as they are, again and again', async () => {
    const metrics = createMetrics()
    await scrape(metrics)
    const found = await scrape(metrics)
    expect(valueOf(found, 'staplewright_front_connections')).toBe(2)
    expect(valueOf(found, 'staplewright_front_handshakes')).toBe(1)
    expect(valueOf(found, 'staplewright_front_connections_total', { outcome: 'accepted' })).toBe(12)
    expect(valueOf(found, 'staplewright_front_connections_total', { outcome: 'refused' })).toBe(3)
    expect(valueOf(found, 'staplewright_front_handshakes_total', { outcome: 'secured' })).toBe(10)
    expect(valueOf(found, 'staplewright_front_handshakes_total', { outcome: 'failed' })).toBe(4)
    expect(valueOf(found, 'staplewright_front_handshakes_total', { outcome: 'refused' })).toBe(5)
    expect(valueOf(found, 'staplewright_front_handshakes_stapled_total')).toBe(9)
    expect(valueOf(found, 'staplewright_front_handshakes_unstapled_total')).toBe(6)
    expect(valueOf(found, 'staplewright_front_backend_failures_total')).toBe(7)
  })

  test.each([
    ['open, no cause', {}, 1],
    ['open with a cause', { causes: ['server.pem has no staple'] }, 0],
    ['closed', { phase: 'closed' as const }, 0],
    ['draining', { phase: 'draining' as const }, 0],
  ])('is ready or not: %s', async (_, changes, ready) => {
    expect(valueOf(await scrape(createMetrics(), daemonStatus(changes)), 'staplewright_ready')).toBe(ready)
  })

  test('tells of the last reload only after one', async () => {
    const metrics = createMetrics()
    expect(valueOf(await scrape(metrics), 'staplewright_last_reload_successful')).toBeUndefined()
    const lastReload = { at, isDone: false, message: 'no' }
    const found = await scrape(metrics, daemonStatus({ lastReload }))
    expect(valueOf(found, 'staplewright_last_reload_successful')).toBe(0)
    expect(valueOf(found, 'staplewright_last_reload_timestamp_seconds')).toBe(at.getTime() / 1_000)
  })

  test('tells a certificate behind the gate as its predecessor that waits, not as a series told twice', async () => {
    const waiting = { cause: 'no staple yet' }
    const next = stapleStatus({ certificateKey: 'cd'.repeat(32), stapleState: 'missing', waiting })
    const found = await scrape(createMetrics(), daemonStatus({ staples: [stapleStatus(), next] }))
    expect(valueOf(found, 'staplewright_certificate_waiting', certificate)).toBe(1)
    expect(valueOf(found, 'staplewright_staple_state', { ...certificate, state: 'fresh' })).toBe(1)
    expect(valueOf(found, 'staplewright_certificates', { state: 'missing' })).toBe(0)
  })

  test('lists no more certificates than the front can bear, and says how many it left out', async () => {
    const staples = Array.from({ length: mostListed + 3 }, (_, index) =>
      stapleStatus({ label: `${index}.pem`, certificateKey: String(index) }),
    )
    const found = await scrape(createMetrics(), daemonStatus({ staples }))
    expect(valueOf(found, 'staplewright_certificates', { state: 'fresh' })).toBe(mostListed + 3)
    expect(found.get('staplewright_staple_failures')?.series).toHaveLength(mostListed)
    expect(valueOf(found, 'staplewright_certificates_unlisted')).toBe(3)
  })

  test('measures its own process', async () => {
    const found = await scrape(createMetrics())
    expect(valueOf(found, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(valueOf(found, 'process_cpu_user_seconds_total')).toBeGreaterThan(0)
    expect(valueOf(found, 'process_open_fds')).toBeGreaterThan(2)
    expect(valueOf(found, 'process_start_time_seconds')).toBe(at.getTime() / 1_000)
    expect(valueOf(found, 'nodejs_version_info', { version: process.version })).toBe(1)
  })
})

describe('events', () => {
  test('are counted by certificate, and start again when the certificate is gone and comes back', async () => {
    const metrics = createMetrics()
    const count = async (measured?: Measured) =>
      valueOf(await scrape(metrics, measured), 'staplewright_refresh_failures_total', certificate)
    expect(await count()).toBe(0)
    metrics.record(refreshFailed(timeout))
    metrics.record(refreshFailed(timeout))
    expect(await count()).toBe(2)
    expect(await count(daemonStatus({ staples: [] }))).toBeUndefined()
    expect(await count()).toBe(0)
  })

  test('count the causes behind a failed attempt, each once', async () => {
    const metrics = createMetrics()
    const causes = [timeout, timeout, new StapleError('ERR_FETCH_NETWORK', 'refused', { url: 'http://b/' })]
    metrics.record(refreshFailed(new StapleError('ERR_FETCH_FAILED', 'all failed', { causes })))
    metrics.record(refreshFailed(timeout))
    const found = await scrape(metrics)
    const name = 'staplewright_refresh_failure_causes_total'
    expect(valueOf(found, name, { code: 'ERR_FETCH_TIMEOUT' })).toBe(2)
    expect(valueOf(found, name, { code: 'ERR_FETCH_NETWORK' })).toBe(1)
    expect(valueOf(found, name, { code: 'ERR_FETCH_FAILED' })).toBeUndefined()
  })

  test('that strangers name as they like do not make series without end', async () => {
    const metrics = createMetrics()
    for (let index = 0; index < 5_000; index++) metrics.record(handshakeFailed(`ERR_${index}`))
    const found = await scrape(metrics)
    const series = found.get('staplewright_front_handshake_failures_total')?.series ?? []
    expect(series.length).toBeLessThanOrEqual(101)
    expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(5_000)
  })

  test('of no interest are let pass', async () => {
    const metrics = createMetrics()
    const before = (await scrape(metrics)).get('staplewright_refreshes_total')
    metrics.record({ ...context, type: 'recovered', failures: 3 })
    expect((await scrape(metrics)).get('staplewright_refreshes_total')).toEqual(before)
  })
})

const timeout = new StapleError('ERR_FETCH_TIMEOUT', 'too late', { url: 'http://a/' })
const entry = stapleStatus()
const context: EventContext = { certificateKey: entry.certificateKey, label: entry.label, at, entry }

function refreshFailed(error: StapleError): KeeperEvent {
  return { ...context, type: 'refresh-failed', error, retryAt: undefined, failures: 1, isRepeat: false }
}

function handshakeFailed(code: string) {
  return { type: 'handshake-failed', at, code, message: '', remoteAddress: undefined } as const
}

const everyEvent = [
  refreshFailed(timeout),
  { ...context, type: 'refused', error: timeout, isRepeat: false },
  handshakeFailed('ECONNRESET'),
  { type: 'connection-refused', at, reason: 'too-many-connections', remoteAddress: undefined },
  { type: 'peer-refused', at, reason: 'revoked', subject: 'CN=client', remoteAddress: undefined },
  { type: 'peer-warned', at, reason: 'unavailable', subject: 'CN=client', remoteAddress: undefined },
  { type: 'peers-closed', at, reason: 'revoked', subject: 'CN=client', connections: 3 },
] as const
