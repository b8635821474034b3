/**
 * An https server whose every handshake is stapled: the line with `staple` is all there is to it.
 *
 *   server.pem  the certificate, its chain behind it      server-key.pem  its key
 *
 * Every other example here differs from this one in what its name says.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { staple } from 'staplewright'

const tls = { cert: readFileSync('server.pem'), key: readFileSync('server-key.pem') }
const server = createServer(tls, (_request, response) => response.end('hello\n'))
await staple(server, tls)
server.listen(8443)
