/** Replies of a three-digit code and lines of text, as SMTP and FTP have them. @see RFC 5321 §4.2, RFC 959 §4.2 */
import type { Wire } from '../wire.ts'
import { quote } from '../words.ts'
import { OpeningError } from './opening.ts'

export interface Reply {
  readonly code: number
  /** Without the codes. */
  readonly lines: readonly string[]
}

const linesAtMost = 200

/** Reads one reply: the last line has a space after the code. */
export async function readReply(wire: Wire, expected: string): Promise<Reply> {
  const lines: string[] = []
  let code: string | undefined
  while (lines.length < linesAtMost) {
    const line = await wire.readLine()
    const [, digits, mark, text = ''] = /^(\d{3})(?:([ -])(.*))?$/.exec(line) ?? []
    // FTP lets the lines between the first and the last be anything
    if (code === undefined && digits === undefined) throw new OpeningError(`the server said ${quote(line)}`, expected)
    code ??= digits
    lines.push(digits === code ? text : line)
    if (digits === code && mark !== '-') return { code: Number(code), lines }
  }
  throw new OpeningError(`a reply of more than ${linesAtMost} lines`, expected)
}

/** @throws {@link OpeningError} when it is another code */
export function expectCode(reply: Reply, code: number, expected: string): void {
  if (reply.code === code) return
  throw new OpeningError(`the server said ${quote(`${reply.code} ${reply.lines[0] ?? ''}`.trim())}`, expected)
}
