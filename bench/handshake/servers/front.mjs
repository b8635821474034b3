// The least that a TLS front in Node can do: accept, connect, pipe both ways. With `listener` it also answers
// ready bytes as the staple.
//
//   node front.mjs bare|listener PORT '{"chainFile":…,"keyFile":…,"stapleFile":…,"backendPort":…}'

import { readFileSync } from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'

const [kind, port, json] = process.argv.slice(2)
const { chainFile, keyFile, stapleFile, backendPort } = JSON.parse(json)

process.on('SIGTERM', () => process.exit(0))

const server = tls.createServer({ cert: readFileSync(chainFile), key: readFileSync(keyFile) }, (socket) => {
  const backend = net.connect(backendPort, '127.0.0.1')
  socket.on('error', () => backend.destroy())
  backend.on('error', () => socket.destroy())
  socket.pipe(backend)
  backend.pipe(socket)
})

if (kind === 'listener') {
  const bytes = readFileSync(stapleFile)
  server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, bytes))
}

server.listen(Number(port), '127.0.0.1')
