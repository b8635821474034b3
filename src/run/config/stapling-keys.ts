/** Keys about stapling: modes, policies, where staples rest. */
import { httpURL } from './address.ts'
import { duration, oneOf, path } from './scalar.ts'
import type { Mode, Policies } from './settings.ts'
import { type Block, blockOf, flagOr, type Key, type Located, listOf, type Type } from './type.ts'

const second = 1_000
const hour = 3_600 * second

const modes = ['auto', 'must', 'always', 'never'] as const

export const mode: Key<Mode> = {
  name: 'mode',
  origin: 'nats-server',
  type: oneOf(...modes),
  default: 'auto',
  meaning:
    '`auto` staples certificates with Must-Staple and goes on when one is revoked; `must` staples the same and stops; `always` staples every certificate and stops; `never` staples none.',
  example: 'mode: must',
}

export const url: Key<string> = {
  name: 'url',
  origin: 'nats-server',
  type: httpURL,
  defaultNote: "the certificate's own",
  meaning: 'The responder to ask instead of those that the certificates name. `responders` is the finer tool.',
  example: 'url: "http://ocsp.example.net"',
}

export const urls: Key<readonly Located<string>[]> = {
  name: 'urls',
  origin: 'nats-server',
  type: listOf(httpURL, 'URLs'),
  defaultNote: "the certificate's own",
  meaning: 'Several responders, in the order to ask them. (In nats-server itself no list can be given.)',
  example: 'urls: ["http://ocsp1.example.net", "http://ocsp2.example.net"]',
}

const ocspBlock: Type<Block> = blockOf({ keys: [mode, url, urls], idle: [] })

/** Whether stapling is on, or how in particular. */
export const ocsp: Key<boolean | Block> = {
  name: 'ocsp',
  origin: 'nats-server',
  type: flagOr(ocspBlock, {
    hint: (written) =>
      modes.includes(written.toLowerCase() as Mode) ? `write \`ocsp { mode: ${written} }\`` : undefined,
  }),
  default: 'true',
  meaning: '`true` is `{ mode: auto }`, `false` is `{ mode: never }`.',
  example: 'ocsp { mode: must, url: "http://ocsp.example.net" }',
}

export const storeDir: Key<string> = {
  name: 'store_dir',
  aliases: ['storedir'],
  origin: 'nats-server',
  type: path,
  defaultNote: 'none: staples are kept in memory only',
  meaning:
    'Where staples rest between runs, in its directory `ocsp`, as nats-server has them. Made when the first staple is saved.',
  example: 'store_dir: "/var/lib/staplewright"',
}

/** nats-server has `store` for it too, in this place only. */
export const jetStreamStoreDir: Key<string> = { ...storeDir, aliases: ['storedir', 'store'] }

const jetStreamBlock: Type<Block> = blockOf({
  keys: [jetStreamStoreDir],
  idle: [],
  ignoresUnknown: true,
})

export const jetStream: Key<boolean | Block> = {
  name: 'jetstream',
  origin: 'nats-server',
  type: flagOr(jetStreamBlock, { on: ['enabled', 'enable'], off: ['disabled', 'disable'] }),
  defaultNote: 'none',
  meaning: 'Only its `store_dir` counts here: staples rest there, as with nats-server.',
  example: 'jetstream { store_dir: "/var/lib/nats" }',
}

export const onStart: Key<Policies['onStart']> = {
  name: 'on_start',
  origin: 'own',
  type: oneOf('prefer', 'require', 'exit'),
  defaultNote: '`require` in mode `must`, else `prefer`',
  meaning:
    'Before every staple is in: `prefer` opens the doors after `start_timeout`, `require` stays closed and keeps trying, `exit` ends with code 4 after `start_timeout`.',
  example: 'on_start: require',
}

export const startTimeout: Key<number> = {
  name: 'start_timeout',
  origin: 'own',
  type: duration({ least: 0, most: hour }),
  default: '"5s"',
  meaning: 'How long the start waits for staples.',
  example: 'start_timeout: "10s"',
}

export const onRevoked: Key<Policies['onRevoked']> = {
  name: 'on_revoked',
  origin: 'own',
  type: oneOf('staple', 'withhold', 'stop', 'stop-site'),
  defaultNote: '`stop` in the modes `must` and `always`, else `staple`',
  meaning:
    'When a signed answer says revoked: `staple` it, `withhold` it and staple nothing, `stop` the process in order with code 3, or `stop-site`: serve the other sites on.',
  example: 'on_revoked: withhold',
}

export const onUnknown: Key<Policies['onUnknown']> = {
  name: 'on_unknown',
  origin: 'own',
  type: oneOf('keep', 'staple', 'stop'),
  default: 'keep',
  meaning:
    'When a signed answer says unknown: `keep` the last good staple until it goes stale, `staple` the unknown, or `stop` with code 3.',
  example: 'on_unknown: staple',
}

export const onStale: Key<Policies['onStale']> = {
  name: 'on_stale',
  origin: 'own',
  type: oneOf('unstapled', 'refuse'),
  default: 'unstapled',
  meaning: 'While no staple may be served: shake hands without one, or `refuse` new handshakes on that certificate.',
  example: 'on_stale: refuse',
}

export const gateMargin: Key<number> = {
  name: 'gate_margin',
  origin: 'own',
  type: duration({ least: 0, most: 720 * hour }),
  default: '"10m"',
  meaning:
    'How long before its end a certificate makes way for its successor even if that has no staple yet. Until then a renewed certificate waits for its staple.',
  example: 'gate_margin: "1h"',
}
