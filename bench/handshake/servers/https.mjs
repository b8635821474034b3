// The Node https server of the attach door, in four kinds from one file so that nothing else differs:
//   bare        as anybody would write it, without Staplewright
//   listener    the least code that staples: an OCSPRequest listener that answers ready bytes
//   attached    with staple(server) from the package
//   attached-never  the same in mode never
//
//   node https.mjs KIND PORT '{"chainFile":…,"keyFile":…,"stapleFile":…,"dist":…,"storeDirectory":…}'

import { readFileSync } from 'node:fs'
import https from 'node:https'
import { pathToFileURL } from 'node:url'

const [kind, port, json] = process.argv.slice(2)
const { chainFile, keyFile, stapleFile, dist } = JSON.parse(json)

process.on('SIGTERM', () => process.exit(0))

const options = { cert: readFileSync(chainFile), key: readFileSync(keyFile) }
const server = https.createServer(options, (_request, response) => response.end('ok\n'))

if (kind === 'listener') {
  const bytes = readFileSync(stapleFile)
  server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, bytes))
} else if (kind.startsWith('attached')) {
  const { staple } = await import(pathToFileURL(`${dist}/index.js`).href)
  await staple(server, { ...options, mode: kind === 'attached' ? 'always' : 'never' })
}

server.listen(Number(port), '127.0.0.1')
