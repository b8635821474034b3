/** The end of a handshake that OpenSSL never saw, said as TLS says it: before the ServerHello alerts go in the clear. */
import type { Socket } from 'node:net'

/** Sends one fatal alert and closes. @see RFC 8446 §6 (alerts), §5.1 (the record they come in) */
export function closeWithAlert(raw: Socket, description: keyof typeof descriptions): void {
  raw.end(Buffer.from([alertRecord, 3, 3, 0, 2, fatal, descriptions[description]]))
  // The ClientHello was put back unread; reading it off lets the socket notice the client's own end.
  raw.resume()
  raw.setTimeout(lingerMs, destroy)
}

const alertRecord = 21
const fatal = 2
const descriptions = { handshake_failure: 40, unrecognized_name: 112 } as const

/** Long enough for a slow client to read seven bytes; a client that never closes is not waited for. */
const lingerMs = 2_000

function destroy(this: Socket): void {
  this.destroy()
}
