/** Mail transport and submission. @see RFC 3207 */
import { isIPv6 } from 'node:net'
import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'
import { expectCode, readReply } from './reply.ts'

export const openSmtp: Opening = async ({ wire, note }) => {
  const greeting = await readReply(wire, 'the greeting 220')
  note(`${greeting.code} ${greeting.lines.join(' ')}`)
  expectCode(greeting, 220, 'the greeting 220')
  // RFC 5321 §4.1.4: a client without a name of its own says its address
  const { localAddress = '127.0.0.1' } = wire.socket
  wire.write(`EHLO [${isIPv6(localAddress) ? 'IPv6:' : ''}${localAddress}]\r\n`)
  const offer = await readReply(wire, '250 to EHLO')
  expectCode(offer, 250, '250 to EHLO')
  const [, ...extensions] = offer.lines
  if (!extensions.some((one) => /^starttls\b/i.test(one))) {
    throw new OpeningError(
      `the server offers no STARTTLS, but ${quote(extensions.join(', '))}`,
      'STARTTLS among its extensions',
    )
  }
  wire.write('STARTTLS\r\n')
  expectCode(await readReply(wire, '220 to STARTTLS'), 220, '220 to STARTTLS')
}
