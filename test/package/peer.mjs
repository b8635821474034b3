// A stranger's program: connects to its own stapled https server by every door. Prints who vouched for it as JSON.
import { readFileSync } from 'node:fs'
import { createServer, get } from 'node:https'
import { staple } from 'staplewright'
import { createPeerVerifier } from 'staplewright/peer'

const [cert, key, ca] = process.argv.slice(2).map((file) => readFileSync(file))
const server = createServer({ cert, key }, (_request, response) => response.end('hello'))
const stapler = await staple(server, { cert, key })
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address()

const verifier = createPeerVerifier({ policy: 'require' })
const target = { host: '127.0.0.1', servername: 'localhost', port, ca }
const seen = []
for (const version of ['TLSv1.2', 'TLSv1.3']) {
  for (let time = 0; time < 2; time++) {
    const socket = await verifier.connect({ ...target, minVersion: version, maxVersion: version })
    seen.push(`${socket.getProtocol()} ${verifier.verdictOf(socket).source}`)
    // the sessions of TLS 1.3 come with what the server says first
    await new Promise((resolve) => socket.once('data', resolve).write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    socket.destroy()
  }
}
const agent = verifier.agent({ ca })
seen.push(
  await new Promise((resolve, reject) => {
    get({ ...target, agent }, (response) => response.setEncoding('utf8').once('data', resolve)).once('error', reject)
  }),
)
agent.destroy()
await verifier.close()
server.closeAllConnections()
server.close()
await stapler.close()
console.log(JSON.stringify(seen))
