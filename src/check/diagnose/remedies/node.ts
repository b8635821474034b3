/** A Node server: staples nothing by itself; Staplewright is the line that does. */
import type { ServerRemedies } from './contract.ts'

export const node: ServerRemedies = {
  kind: 'node',
  switchOn: () => ({
    server: 'node',
    kind: 'configuration',
    text: 'For a server of tls, https or http2, before it listens: every handshake is stapled from then on.',
    lines: ["import { staple } from 'staplewright'", '', 'await staple(server)'],
  }),
  renew: () => ({
    server: 'node',
    kind: 'configuration',
    text: 'Remove the listener for OCSPRequest that answers now; this one verifies what it staples and withdraws it in time.',
    lines: ["import { staple } from 'staplewright'", '', 'await staple(server)'],
  }),
  everyHandshake: () => ({
    server: 'node',
    kind: 'configuration',
    text: 'Wait for the staple before the server listens.',
    lines: ["import { staple } from 'staplewright'", '', 'await staple(server)', 'server.listen(443)'],
  }),
  sendChain: () => ({
    server: 'node',
    kind: 'configuration',
    text: 'Let `cert` hold the leaf first, then its intermediates.',
    lines: ["createServer({ cert: readFileSync('fullchain.pem'), key: readFileSync('key.pem') })"],
  }),
}
