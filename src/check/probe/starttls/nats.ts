/**
 * NATS: the server says INFO in clear and then expects TLS, or says nothing until it has it (`handshake_first`).
 *
 * Where INFO does not come, TLS begins on the same connection after a wait that is shorter than the 2 s that nats-server
 * gives a handshake; from then on the address is known to be silent, and TLS begins at once.
 */
import { isStapleError } from '../../../errors.ts'
import { inTime } from '../limits.ts'
import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

const waitMs = 1_000
/** With many servers in a cluster their addresses make it long. */
const lineLimit = 262_144
const expected = 'INFO that names tls_required or tls_available'

export const openNats: Opening = async ({ wire, limits, memory, note }) => {
  if (memory.isSilent) return
  let line: string
  try {
    const wait = Math.min(waitMs, limits.timeoutMs / 2)
    line = await inTime(limits, 'no INFO', '', wire.readLine(lineLimit), wait)
  } catch (error) {
    if (wire.unread().length > 0) throw error
    memory.isSilent = true
    if (isStapleError(error, 'ERR_PROBE_TIMEOUT')) return
    throw error // it was not ready to wait that long
  }
  note(line)
  if (!line.startsWith('INFO ')) throw new OpeningError(`the server said ${quote(line)}`, expected)
  const info = readJson(line.slice(5))
  if (info?.tls_required !== true && info?.tls_available !== true) {
    throw new OpeningError(info ? 'the server offers no TLS in its INFO' : `${quote(line)} is not JSON`, expected)
  }
}

function readJson(text: string): { tls_required?: unknown; tls_available?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
