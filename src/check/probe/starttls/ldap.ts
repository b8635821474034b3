/**
 * Directories: the extended operation StartTLS.
 *
 * Lengths are read as BER, since Active Directory writes all of them in four octets; the strict DER reader of pki would refuse it.
 *
 * @see RFC 4511 §4.14
 */
import { encodeInteger, encodeSequence, encodeValue } from '../../../pki/der/writer.ts'
import type { Wire } from '../wire.ts'
import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

const startTlsOid = '1.3.6.1.4.1.1466.20037'
const applicationRequest = 0x77
const applicationResponse = 0x78
const requestName = 0x80
const sequence = 0x30
const enumerated = 0x0a
const octetString = 0x04
const messageLimit = 65_536
const expected = 'an extended response with the result 0'

export const openLdap: Opening = async ({ wire }) => {
  const name = encodeValue(requestName, Buffer.from(startTlsOid))
  wire.write(encodeSequence(encodeInteger(1n), encodeValue(applicationRequest, name)))
  const message = readValues(await readMessage(wire))
  const response = message.find((one) => one.tag === applicationResponse)
  const [result, , diagnostic] = response ? readValues(response.content) : []
  if (result?.tag !== enumerated) throw new OpeningError('an answer that is none to StartTLS', expected)
  const code = result.content[0] ?? 0
  if (code === 0) return
  const words = diagnostic?.tag === octetString ? `: ${quote(Buffer.from(diagnostic.content).toString())}` : ''
  throw new OpeningError(`the server refuses StartTLS with the result ${code}${words}`, expected)
}

/** The content of one LDAPMessage. */
async function readMessage(wire: Wire): Promise<Uint8Array> {
  const head = await wire.readBytes(2)
  const [tag = 0, first = 0] = head
  if (tag !== sequence) throw new OpeningError(`the server sent ${head.toString('hex')} (hex)`, 'an LDAP message')
  let length = first
  if (first > 0x80 && first <= 0x84) {
    length = (await wire.readBytes(first - 0x80)).reduce((sum, octet) => sum * 256 + octet, 0)
  }
  if (length > messageLimit || first === 0x80 || first > 0x84) {
    throw new OpeningError(`an LDAP message of ${length} bytes`, `at most ${messageLimit}`)
  }
  return wire.readBytes(length)
}

interface Value {
  readonly tag: number
  readonly content: Uint8Array
}

/** The values that stand one behind the other; what is cut short ends the list. */
function readValues(bytes: Uint8Array): Value[] {
  const values: Value[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] as number
    const first = bytes[at + 1] as number
    const count = first > 0x80 ? first - 0x80 : 0
    const start = at + 2 + count
    const length = count === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0)
    if (start + length > bytes.length) break
    values.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return values
}
