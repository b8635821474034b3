/**
 * PostgreSQL: SSLRequest, one byte in answer.
 *
 * Version 17 also takes TLS from the first byte, but only with its own name in ALPN; every version takes this.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
import { type Opening, OpeningError } from './opening.ts'

/** Its length and the number that stands where a version would: 1234, 5679. */
const sslRequest = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)

export const openPostgres: Opening = async ({ wire }) => {
  wire.write(sslRequest)
  const answer = (await wire.readBytes(1)).toString('latin1')
  if (answer === 'S') return
  const found =
    answer === 'N'
      ? 'the server says N: it has no TLS'
      : answer === 'E'
        ? 'the server answered with an error'
        : `the server sent the byte 0x${Buffer.from(answer, 'latin1').toString('hex')}`
  throw new OpeningError(found, 'S in answer to SSLRequest')
}
