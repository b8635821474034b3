/** start.ts, for HTTP/2. */
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { staple } from 'staplewright'

const tls = { cert: readFileSync('server.pem'), key: readFileSync('server-key.pem'), allowHTTP1: true }
const server = createSecureServer(tls, (_request, response) => void response.end('hello\n'))
await staple(server, tls)
server.listen(8443)
