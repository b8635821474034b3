/** The end of `serve`: SIGTERM lets connections finish, a second one does not wait for them. */
import { expect, test } from 'vitest'
import { createAuthority } from '../kit/authority.ts'
import { startBackend } from '../kit/backend.ts'
import { connectWithNode, openWithNode } from '../kit/clients/node.ts'
import { formatConfig, startDaemon } from '../kit/daemon.ts'
import { createScriptedResponder } from '../kit/responder.ts'

async function setStage() {
  const authority = await createAuthority()
  const backend = await startBackend()
  const responder = await createScriptedResponder({ authority })
  const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
  const daemon = await startDaemon(formatConfig({ backend: backend.url, leaf }))
  const target = { port: await daemon.opened(), rootFile: leaf.rootFile }
  return { daemon, target, connection: await openWithNode(target) }
}

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

test('SIGTERM: no new connections, the open one goes on, and the end comes with its end', async () => {
  const { daemon, target, connection } = await setStage()
  daemon.program.kill('SIGTERM')
  await daemon.waitForLine(/^stopping: SIGTERM/)
  expect((await connectWithNode(target)).connected).toBe(false)
  expect(await connection.ask(request)).toContain('200 OK')
  expect(daemon.program.hasEnded).toBe(false)
  connection.socket.end()
  expect(await daemon.exitCode()).toBe(0)
  expect(daemon.log().at(-1)?.message).toBe('the last connection is gone')
})

test('a second SIGTERM cuts what is open and ends at once, still with 0', async () => {
  const { daemon, connection } = await setStage()
  daemon.program.kill('SIGTERM')
  await daemon.waitForLine(/^stopping: SIGTERM/)
  daemon.program.kill('SIGTERM')
  await connection.closed
  expect(await daemon.exitCode(5_000)).toBe(0)
})
