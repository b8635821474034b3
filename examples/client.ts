/**
 * The other side: an https client that sends its request only to a server whose certificate is known to be good.
 *
 *   ca.pem  the root it trusts; leave `ca` out for the public ones
 *
 * `require` wants a good staple. Leave `policy` out to ask the CA where there is none.
 */
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { createPeerVerifier } from 'staplewright/peer'

const verifier = createPeerVerifier({
  policy: 'require',
  judged: ({ source, usableUntil }) => console.log(`good by its ${source} until ${usableUntil?.toISOString()}`),
})
const agent = verifier.agent({ ca: readFileSync('ca.pem') })
const request = get('https://localhost:8443/', { agent }, (response) => response.pipe(process.stdout))
request.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
