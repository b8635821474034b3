/**
 * The doors through which a daemon can be asked about itself: an HTTP port that tells, a Unix socket that is also obeyed.
 *
 * Neither ever harms the front: what fails here is one line in the log.
 */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../keep/clock.ts'
import type { Settings } from '../config/index.ts'
import type { Line } from '../journal/journal.ts'
import { createAnswers, type MetricsSource } from './answers.ts'
import type { Door } from './door.ts'
import { createHttpDoor } from './http.ts'
import { createSocketDoor } from './socket.ts'
import type { AdminSubject } from './subject.ts'

export type * from './subject.ts'

export interface AdminOptions {
  readonly settings: Settings['admin']
  readonly subject: AdminSubject
  readonly clock: Clock
  readonly say: (line: Line) => void
  readonly metrics: MetricsSource
}

/** Both doors as one. */
export type Admin = Door

/** Creates the doors that the settings name; nothing listens yet. */
export function createAdmin({ settings, subject, clock, say, metrics }: AdminOptions): Admin {
  const answers = createAnswers({ subject, clock, metrics })
  const failed = createComplaint(clock, say)
  const doors = [
    createSocketDoor({ path: settings.socket, respond: answers.socket, failed, clock, say }),
    ...(settings.http === undefined
      ? []
      : [createHttpDoor({ ...settings.http, respond: answers.http, failed, clock, say })]),
  ]
  return {
    async open() {
      await Promise.all(doors.map((door) => door.open()))
    },
    async close() {
      await Promise.all(doors.map((door) => door.close()))
    },
  }
}

/** Who asks every few seconds must not fill the log with one failure: it is said once a minute. */
function createComplaint(clock: Clock, say: (line: Line) => void): (thrown: unknown, request: IncomingMessage) => void {
  const said = new Map<string, number>()
  return (thrown, { method, url }) => {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const path = (url ?? '').split('?')[0]
    const now = clock.monotonicMs()
    const before = said.get(message)
    if (before !== undefined && now - before < 60_000) return
    if (said.size >= 100) said.clear()
    said.set(message, now)
    say({ level: 'error', subject: 'admin', text: `${method} ${path} failed: ${message}` })
  }
}
