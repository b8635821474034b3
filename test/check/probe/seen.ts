/** Probing in tests, and its record as short lines. */
import { probe } from '../../../src/check/probe/index.ts'
import type { ProbeOptions } from '../../../src/check/probe/options.ts'
import type { ConnectionRecord, ProbeRecord, Target } from '../../../src/check/probe/record.ts'
import { systemClock } from '../../../src/keep/clock.ts'

export function look(port: number, options: Partial<ProbeOptions & Omit<Target, 'port'>> = {}): Promise<ProbeRecord> {
  const { label = 'test', host = '127.0.0.1', serverName, starttls, ...rest } = options
  const target = {
    ...{ label, host, port },
    ...(serverName === undefined ? {} : { serverName }),
    ...(starttls === undefined ? {} : { starttls }),
  }
  return probe(target, { clock: systemClock, timeoutMs: 3_000, ...rest })
}

/** `1.3 ecdsa,rsa: ecdsa` for what was offered and shown, or the failure's code. */
export function lines(record: ProbeRecord): string[] {
  return record.connections.map(lineOf)
}

function lineOf({ offered, handshake, failure }: ConnectionRecord): string {
  const shown =
    handshake && `${handshake.keyFamily}${handshake.wantsClientCertificate ? ' wants a client certificate' : ''}`
  return `${offered.version.slice(4)} ${offered.keyFamilies}: ${shown ?? failure?.code}`
}

/** The failure of the only connection, or of the first. */
export function failureOf(record: ProbeRecord) {
  const failure = record.failure ?? record.connections[0]?.failure
  return { code: failure?.code, ...(failure?.detail as Record<string, string | number | undefined> | undefined) }
}
