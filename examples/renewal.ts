/** start.ts, with a new certificate on SIGHUP: it is shown when its staple is in, so that no handshake lacks one. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { staple } from 'staplewright'

const read = () => ({ cert: readFileSync('server.pem'), key: readFileSync('server-key.pem') })
const tls = read()
const server = createServer(tls, (_request, response) => response.end('hello\n'))
const stapler = await staple(server, tls)
process.on('SIGHUP', async () => {
  await stapler.setSecureContext(read())
  console.log('renewed')
})
server.listen(8443)
