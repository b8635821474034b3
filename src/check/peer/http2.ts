/** The door for HTTP/2: a session over a socket that was judged before the preface is written. */
import { once } from 'node:events'
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import { isIP } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { StapleError } from '../../errors.ts'

export interface Http2Opened {
  readonly session: ClientHttp2Session
  readonly socket: TLSSocket
}

export async function openHttp2(
  open: (options: ConnectionOptions) => Promise<TLSSocket>,
  authority: string | URL,
  options: SecureClientSessionOptions,
): Promise<Http2Opened> {
  const url = new URL(authority)
  if (url.protocol !== 'https:') throw wrongProtocol(url, 'https:', url.protocol)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const name = options.servername ?? host
  const socket = await open({
    ALPNProtocols: ['h2'],
    ...options,
    host,
    port: Number(url.port || 443),
    ...(isIP(name) === 0 && { servername: name }),
  })
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy()
    throw wrongProtocol(url, 'h2', socket.alpnProtocol || 'no protocol agreed on')
  }
  const session = connect(url, { ...options, createConnection: () => socket })
  await once(session, 'connect')
  return { session, socket }
}

function wrongProtocol(url: URL, expected: string, found: string): StapleError<'ERR_PEER_PROTOCOL'> {
  const detail = { peer: url.host, expected, found }
  return new StapleError('ERR_PEER_PROTOCOL', `${url.host}: found ${found}, expected ${expected}`, detail)
}
