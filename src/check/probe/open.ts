/** A connection up to where TLS begins: TCP, and the protocol's own opening where there is one. */
import { isStapleError, StapleError } from '../../errors.ts'
import { dial } from './dial.ts'
import { openingFailure } from './failure.ts'
import { inTime, type Limits, placeOf } from './limits.ts'
import type { Target } from './record.ts'
import type { OpeningMemory } from './starttls/opening.ts'
import { protocols } from './starttls/protocols.ts'
import { createWire, type Wire } from './wire.ts'

export interface OpenRequest {
  readonly target: Target
  readonly address: string
  readonly limits: Limits
  readonly memory: OpeningMemory
  /** Records what the server said in clear. */
  note(greeting: string): void
}

/** @throws {@link StapleError} `ERR_PROBE_CONNECT`, `ERR_PROBE_TIMEOUT`, `ERR_PROBE_STARTTLS` */
export async function openWire(request: OpenRequest): Promise<Wire> {
  const { target, address, limits, memory, note } = request
  const { port, starttls } = target
  const wire = createWire(await dial(address, port, limits))
  if (starttls === undefined) return wire

  const place = placeOf(address, port)
  const { open, patience = 1 } = protocols[starttls]
  const name = target.serverName ?? target.host
  try {
    const opened = open({ wire, name, port, limits, memory, note })
    await inTime(limits, `no ${starttls} go-ahead for TLS`, place, opened, limits.timeoutMs * patience)
    refuseInjected(wire, place, starttls)
    return wire
  } catch (error) {
    wire.socket.destroy()
    throw isStapleError(error) ? error : openingFailure(place, starttls, error)
  }
}

/**
 * What comes in clear behind the go-ahead was put there for a client that reads it as if TLS had protected it.
 *
 * @see CVE-2011-0411 and its kin
 */
function refuseInjected(wire: Wire, place: string, protocol: string): void {
  const { length } = wire.unread()
  if (length === 0) return
  const found = `${length} bytes in clear behind the go-ahead for TLS`
  throw new StapleError(
    'ERR_PROBE_STARTTLS',
    `${place}: ${protocol}: ${found}: somebody on the way may have put them there`,
    { place, protocol, found, expected: 'nothing before TLS' },
  )
}
