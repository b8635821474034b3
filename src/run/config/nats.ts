/**
 * How NATS clients come in: what `protocol`, `advertise` and `tls { handshake_first }` say together.
 */
import { look } from './block.ts'
import * as keys from './keys.ts'
import type { Report } from './report.ts'
import type { NatsSettings, Settings } from './settings.ts'
import type { Block, Located } from './type.ts'

/** Reads it; `handshakeFirst` is that of the default site. */
export function readNats(
  block: Block,
  protocol: Settings['protocol'],
  handshakeFirst: (Located<boolean | number> & { readonly path: string }) | undefined,
  report: Report,
): NatsSettings {
  const advertise = look(block, keys.advertise)
  if (protocol === 'tcp') {
    if (advertise && advertise.value.length > 0) {
      report.refuse(advertise.at, 'advertise', {
        summary: 'is for NATS, and this front passes bytes on unread',
        found: 'advertise with protocol tcp',
        expected: '`protocol: nats`, or a nats:// backend',
        hint: 'add `protocol: nats`, or leave it out',
      })
    }
    // A file of nats-server's runs as it is, but its NATS clients would wait for an INFO that comes inside TLS only.
    if (handshakeFirst && handshakeFirst.value !== true) {
      const words = 'has no effect here: TLS comes first; with `protocol: nats` or a nats:// backend it counts'
      report.note(handshakeFirst.at, `${handshakeFirst.path}.handshake_first`, words)
    }
    return { handshake: 'after-info', advertise: [] }
  }
  const wait = handshakeFirst?.value ?? false
  return {
    handshake: typeof wait === 'number' ? { waitMs: wait } : wait ? 'first' : 'after-info',
    advertise: advertise?.value.map((each) => each.value) ?? [],
  }
}
