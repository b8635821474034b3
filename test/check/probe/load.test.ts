/** Many targets: a healthy one takes well under a second, and a thousand no more memory than a hundred. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { freePort } from '../../kit/free-port.ts'
import { nginxPaths, startNginx } from '../../kit/nginx.ts'
import { failureOf, look } from './seen.ts'

vi.setConfig({ testTimeout: 60_000 })

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let ca: string[]
let leaf: Leaf
let port: number

beforeAll(async () => {
  const authority = await createAuthority()
  leaf = await authority.issueLeaf()
  ca = [authority.root.pem]
  port = await freePort()
  await startNginx(
    `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
}
}`,
    port,
  )
})

const openSockets = () => process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap/.test(name)).length

it('a healthy target takes under a second, roots read for the first time included', async () => {
  const record = await look(port, { serverName: 'localhost', ca })
  expect(record.connections).toHaveLength(5)
  expect(record.elapsedMs).toBeLessThan(1_000)
})

describe('a thousand targets', () => {
  const atOnce = 20

  /** Probes them, a few at a time, and keeps nothing. @returns the most sockets that were open at a time */
  async function probeMany(count: number, port: number): Promise<number> {
    let left = count
    let most = 0
    const work = async () => {
      while (left-- > 0) {
        await look(port, { serverName: 'localhost', ca, connections: 2 })
        most = Math.max(most, openSockets())
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return most
  }

  async function memory(): Promise<{ heap: number; resident: number }> {
    await vi.waitFor(() => expect(openSockets()).toBe(0))
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    const { heapUsed, rss } = process.memoryUsage()
    return { heap: heapUsed / 1_048_576, resident: rss / 1_048_576 }
  }

  it('leave no socket open and no more memory in use than the first hundred', async () => {
    await probeMany(100, port)
    const before = await memory()
    const most = await probeMany(1_000, port)
    const after = await memory()
    expect(most).toBeLessThanOrEqual(3 * atOnce)
    expect(after.heap - before.heap).toBeLessThan(8)
    expect(after.resident - before.resident).toBeLessThan(150)
  })

  it('that nobody listens for leave none either', async () => {
    const nowhere = await freePort()
    expect(failureOf(await look(nowhere)).code).toBe('ERR_PROBE_CONNECT')
    const before = await memory()
    await probeMany(1_000, nowhere)
    const after = await memory()
    expect(after.heap - before.heap).toBeLessThan(8)
  })
})
