/** start.ts, saying what happens to the staple, and ending when the certificate is revoked. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { staple } from 'staplewright'

const tls = { cert: readFileSync('server.pem'), key: readFileSync('server-key.pem') }
const server = createServer(tls, (_request, response) => response.end('hello\n'))
const stapler = await staple(server, {
  ...tls,
  onEvent(event) {
    if (event.type === 'refreshed')
      console.log(`${event.label}: ${event.response.certStatus}, next at ${event.entry.refreshAt?.toISOString()}`)
    if (event.type === 'refresh-failed') console.log(`${event.label}: ${event.error.message}`)
  },
})
for (const { label, stapleState } of stapler.pending) console.log(`${label}: no staple yet (${stapleState})`)
stapler.on('stop', async ({ label, reason }) => {
  console.log(`${label}: ${reason}, stopping`)
  await stapler.close()
  server.close()
  server.closeAllConnections()
})
server.listen(8443)
