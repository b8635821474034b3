/** start.ts, with staples that outlive a restart: the next start needs no responder. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { staple } from 'staplewright'

const tls = { cert: readFileSync('server.pem'), key: readFileSync('server-key.pem') }
const server = createServer(tls, (_request, response) => response.end('hello\n'))
await staple(server, { ...tls, storeDir: 'staples' })
server.listen(8443)
