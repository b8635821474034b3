/** File transfer. @see RFC 4217 */
import type { Opening } from './opening.ts'
import { expectCode, readReply } from './reply.ts'

export const openFtp: Opening = async ({ wire, note }) => {
  const greeting = await readReply(wire, 'the greeting 220')
  note(`${greeting.code} ${greeting.lines.join(' ')}`)
  expectCode(greeting, 220, 'the greeting 220')
  wire.write('AUTH TLS\r\n')
  expectCode(await readReply(wire, '234 to AUTH TLS'), 234, '234 to AUTH TLS')
}
