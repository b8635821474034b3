/** Mail access. @see RFC 2595 §4 */

import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

export const openPop3: Opening = async ({ wire, note }) => {
  const greeting = await wire.readLine()
  note(greeting)
  if (!greeting.startsWith('+OK')) throw new OpeningError(`the server said ${quote(greeting)}`, 'the greeting +OK')
  wire.write('STLS\r\n')
  const answer = await wire.readLine()
  if (!answer.startsWith('+OK')) throw new OpeningError(`the server said ${quote(answer)}`, '+OK to STLS')
}
