/** A daemon that the admin doors can ask, whose answers are what a test says they are. */
import type {
  AdminSubject,
  DaemonStatus,
  RefreshOutcome,
  ReloadOutcome,
  StapleStatus,
} from '../../src/run/admin/subject.ts'

export interface FakeSubject extends AdminSubject {
  /** What it answers; a test changes parts of it, or makes them throw. */
  current: DaemonStatus
  reloading: () => Promise<ReloadOutcome>
  refreshing: (which?: string) => Promise<RefreshOutcome>
  /** What it was asked to do, in order. */
  readonly asked: string[]
}

/** Creates one that is open, with one fresh staple. */
export function createFakeSubject(changes: Partial<DaemonStatus> = {}): FakeSubject {
  const subject: FakeSubject = {
    current: daemonStatus(changes),
    reloading: async () => ({ isDone: true, message: 'reloaded' }),
    refreshing: async () => ({ asked: ['server.pem'], failed: [] }),
    asked: [],
    async status() {
      return subject.current
    },
    async reload() {
      subject.asked.push('reload')
      return await subject.reloading()
    },
    async refresh(which) {
      subject.asked.push(which === undefined ? 'refresh' : `refresh ${which}`)
      return await subject.refreshing(which)
    },
  }
  return subject
}

/** The status of a daemon that is well. */
export function daemonStatus(changes: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    pid: 4711,
    version: '1.2.3',
    startedAt: new Date('2026-01-01T00:00:00Z'),
    phase: 'open',
    causes: [],
    configFile: '/etc/staplewright/staplewright.conf',
    addresses: ['127.0.0.1:8443'],
    staples: [stapleStatus()],
    peerCache: { type: 'local', hits: 40, misses: 8, good: 5, revoked: 2, unknown: 1 },
    front: {
      connections: 2,
      handshakes: 1,
      accepted: 12,
      refusedConnections: 3,
      secured: 10,
      failedHandshakes: 4,
      refusedHandshakes: 5,
      stapled: 9,
      unstapled: 6,
      failedBackends: 7,
      acceptedPeers: 9,
      warnedPeers: 2,
      refusedPeers: 3,
      closedPeers: 1,
    },
    workers: [{ pid: 4711, state: 'serving' }],
    ...changes,
  }
}

/** A fresh staple, taken on 2026-01-01 and withdrawn a week later. */
export function stapleStatus(changes: Partial<StapleStatus> = {}): StapleStatus {
  return {
    certificateKey: 'ab'.repeat(32),
    label: 'server.pem',
    subject: 'CN=localhost',
    serialNumber: '0f17',
    mustStaple: true,
    stapleState: 'fresh',
    isRequired: true,
    certStatus: 'good',
    thisUpdate: new Date('2026-01-01T00:00:00Z'),
    nextUpdate: new Date('2026-01-08T00:00:00Z'),
    effectiveNextUpdate: new Date('2026-01-08T00:00:00Z'),
    withdrawAt: new Date('2026-01-07T23:55:00Z'),
    refreshAt: new Date('2026-01-04T12:00:00Z'),
    responderURL: 'http://ocsp.example.net/',
    signer: 'CN=issuer',
    source: 'network',
    lastFetch: new Date('2026-01-01T00:00:10Z'),
    failures: 0,
    isUnsaved: false,
    notAfter: new Date('2026-03-01T00:00:00Z'),
    sites: ['localhost', 'www.example.net'],
    ...changes,
  }
}
