// What the client of the bench meets, in a process of its own: TLS servers that staple or do not, and responders that
// answer after a while. Reads its material as JSON from the first argument's file; prints its ports as JSON when ready.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createResponder } from 'node:http'
import { createServer } from 'node:tls'

const { responders, servers } = JSON.parse(readFileSync(process.argv[2], 'utf8'))

for (const { port, delayMs, response } of responders) {
  const body = Buffer.from(response, 'base64')
  const headers = { 'content-type': 'application/ocsp-response', 'content-length': body.length }
  const responder = createResponder((_request, reply) => {
    const answer = () => reply.writeHead(200, headers).end(body)
    if (delayMs === 0) answer()
    else setTimeout(answer, delayMs)
  })
  await once(responder.listen(port, '127.0.0.1'), 'listening')
}

const ports = []
for (const { certificateFile, keyFile, staple } of servers) {
  const server = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (socket) => {
    socket.on('error', () => {})
    socket.end('hello\n')
  })
  if (staple !== undefined) {
    const bytes = Buffer.from(staple, 'base64')
    server.on('OCSPRequest', (_certificate, _issuer, answer) => answer(null, bytes))
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ports.push(server.address().port)
}
console.log(JSON.stringify(ports))
process.stdin.resume().once('end', () => process.exit())
