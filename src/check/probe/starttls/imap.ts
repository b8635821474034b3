/** Mail access. @see RFC 9051 §6.2.1 */

import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

/** Untagged lines that may come before the answer. */
const linesAtMost = 100

export const openImap: Opening = async ({ wire, note }) => {
  const greeting = await wire.readLine()
  note(greeting)
  if (!/^\* OK\b/i.test(greeting)) {
    throw new OpeningError(`the server said ${quote(greeting)}`, 'the greeting * OK')
  }
  wire.write('a1 STARTTLS\r\n')
  for (let count = 0; count < linesAtMost; count++) {
    const line = await wire.readLine()
    if (/^a1 OK\b/i.test(line)) return
    if (!line.startsWith('* ')) throw new OpeningError(`the server said ${quote(line)}`, 'OK to STARTTLS')
  }
  throw new OpeningError(`more than ${linesAtMost} lines before the answer`, 'OK to STARTTLS')
}
