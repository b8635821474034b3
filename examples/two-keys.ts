/** start.ts, with an RSA and an EC certificate side by side: each client gets the one it can use, with its staple. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { staple } from 'staplewright'

const tls = {
  cert: [readFileSync('server.pem'), readFileSync('server-rsa.pem')],
  key: [readFileSync('server-key.pem'), readFileSync('server-rsa-key.pem')],
}
const server = createServer(tls, (_request, response) => response.end('hello\n'))
await staple(server, { ...tls, front: true })
server.listen(8443)
