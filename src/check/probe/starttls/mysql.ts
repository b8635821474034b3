/**
 * MySQL and MariaDB: the server's handshake packet, SSLRequest, no answer.
 *
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */

import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

const withProtocol41 = 0x0000_0200
const withSsl = 0x0000_0800
const withSecureConnection = 0x0000_8000
const errorPacket = 0xff
const packetLimit = 65_536
const expected = 'a handshake packet of protocol 10 that offers TLS'

export const openMysql: Opening = async ({ wire, note }) => {
  const head = await wire.readBytes(4)
  const length = head.readUIntLE(0, 3)
  const number = head[3] as number
  if (length === 0 || length > packetLimit) throw new OpeningError(`a packet of ${length} bytes`, expected)
  const packet = await wire.readBytes(length)
  if (packet[0] === errorPacket)
    throw new OpeningError(`the server said ${quote(packet.toString('latin1', 3))}`, expected)
  const versionEnd = packet.indexOf(0, 1)
  // behind the version: thread id 4, scramble 8, filler 1, the capabilities' lower half
  const at = versionEnd + 1 + 13
  if (packet[0] !== 10 || versionEnd < 0 || packet.length < at + 2) {
    throw new OpeningError(`a packet that begins with ${packet.toString('hex', 0, 8)} (hex)`, expected)
  }
  const version = packet.toString('latin1', 1, versionEnd)
  note(version)
  if ((packet.readUInt16LE(at) & withSsl) === 0) throw new OpeningError(`${quote(version)} offers no TLS`, expected)

  const request = Buffer.alloc(4 + 32)
  request.writeUIntLE(32, 0, 3)
  request[3] = number + 1
  request.writeUInt32LE(withProtocol41 | withSsl | withSecureConnection, 4)
  request.writeUInt32LE(0x0100_0000, 8)
  request[12] = 45 // utf8mb4
  wire.write(request)
}
