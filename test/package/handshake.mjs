// A stranger's program: staples its https server, connects to it, and judges the staple. Prints what it saw as JSON.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { connect } from 'node:tls'
import { staple } from 'staplewright'
import { parsePemCertificates, verifyOcspResponse } from 'staplewright/ocsp'

const [certificateFile, keyFile, rootFile] = process.argv.slice(2).map((file) => readFileSync(file))
const options = { cert: certificateFile, key: keyFile }
const server = createServer(options)
const stapler = await staple(server, options)
const pending = stapler.pending.length
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

const seen = []
for (const version of ['TLSv1.2', 'TLSv1.3']) {
  const socket = connect({
    port: server.address().port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: rootFile,
    requestOCSP: true,
    minVersion: version,
    maxVersion: version,
  })
  const [response] = await Promise.all([
    new Promise((resolve) => socket.once('OCSPResponse', resolve)),
    new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
  ])
  const [certificate, issuer] = parsePemCertificates(certificateFile)
  const { certStatus } = verifyOcspResponse(response, { certificate, issuer, at: new Date() })
  seen.push({ protocol: socket.getProtocol(), certStatus })
  socket.destroy()
}
server.close()
await stapler.close()
console.log(JSON.stringify({ pending, seen }))
