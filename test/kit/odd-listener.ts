/** TCP servers that a TLS client should not have met: of no TLS at all, silent, senseless, endless. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { endsWithTest } from './lifetime.ts'

export interface OddListener {
  readonly port: number
  /** Bytes that went out, as far as they were taken. */
  readonly sent: number
}

/** Starts one that does that with every connection; it ends with the test. */
export async function startOddListener(act: (socket: Socket) => void): Promise<OddListener> {
  const sockets = new Set<Socket>()
  let sent = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // who does not understand may reset
    socket.once('close', () => {
      sent += socket.bytesWritten
      sockets.delete(socket)
    })
    act(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    get sent() {
      return [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, sent)
    },
  }
}

/** Answers a ClientHello with an old ServerHello of TLS 1.2 (no extensions) and the beginning of a Certificate message of that many bytes. */
export function sendCertificateMessage(socket: Socket, bytes: number): void {
  socket.once('data', (hello: Buffer) => {
    // record 5, handshake 4, version 2, random 32, then session_id and cipher_suites: pick one that was offered
    const sessionLength = hello[43] ?? 0
    const suites = hello.subarray(46 + sessionLength, 46 + sessionLength + hello.readUInt16BE(44 + sessionLength))
    const suite = [0xc02b, 0xc02f, 0xc02c, 0xc030].find((each) =>
      suites.includes(Buffer.from([each >> 8, each & 0xff])),
    )
    const body = Buffer.concat([
      Buffer.from([3, 3]),
      Buffer.alloc(32, 7),
      Buffer.from([0, (suite ?? 0xc02b) >> 8, (suite ?? 0xc02b) & 0xff, 0]),
    ])
    socket.write(recordOf(Buffer.concat([Buffer.from([2, 0, 0, body.length]), body])))
    const begin = Buffer.concat([Buffer.from([11]), lengthOf(bytes), lengthOf(bytes - 3), lengthOf(bytes - 6)])
    socket.write(recordOf(begin))
    const chunk = recordOf(Buffer.alloc(16_000, 0x30))
    let left = bytes
    const more = () => {
      while (left > 0 && !socket.destroyed) {
        left -= 16_000
        if (!socket.write(chunk)) return
      }
    }
    socket.on('drain', more)
    more()
  })
}

function recordOf(fragment: Buffer): Buffer {
  return Buffer.concat([Buffer.from([22, 3, 3, fragment.length >> 8, fragment.length & 0xff]), fragment])
}

function lengthOf(bytes: number): Buffer {
  return Buffer.from([bytes >> 16, (bytes >> 8) & 0xff, bytes & 0xff])
}
