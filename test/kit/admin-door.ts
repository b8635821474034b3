/** The admin doors of a daemon whose answers are what a test says they are, on a socket of their own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/keep/clock.ts'
import { createAdmin } from '../../src/run/admin/index.ts'
import { createMetrics } from '../../src/run/metrics/index.ts'
import { createFakeSubject, type FakeSubject } from './admin-subject.ts'
import { freePort } from './free-port.ts'
import { endsWithTest } from './lifetime.ts'
import { temporaryDirectory } from './temporary.ts'

export interface AdminDoor {
  readonly subject: FakeSubject
  readonly socket: string
  readonly url: string
  /** A configuration that is not fit to start with, and names this socket by its store_dir. */
  readonly configFile: string
}

/** Opens them; they close with the test. */
export async function openAdminDoor(): Promise<AdminDoor> {
  const directory = temporaryDirectory('daemon')
  const configFile = join(directory, 'staplewright.conf')
  writeFileSync(
    configFile,
    `store_dir: "${directory}"\ntls { cert_file: "gone.pem", key_file: "gone.pem" }\nworkers: wrong\n`,
  )
  const subject = createFakeSubject({ configFile })
  const socket = join(directory, 'staplewright.sock')
  const http = { host: '127.0.0.1', port: await freePort() }
  const admin = createAdmin({
    settings: { socket, http },
    subject,
    clock: systemClock,
    say: () => {},
    metrics: createMetrics(),
  })
  endsWithTest(() => admin.close())
  await admin.open()
  return { subject, socket, url: `http://127.0.0.1:${http.port}`, configFile }
}
