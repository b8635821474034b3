/** Keys about where the daemon can be asked about itself. */
import { loopbackAddress } from './address.ts'
import { path } from './scalar.ts'
import type { ListenerSettings } from './settings.ts'
import { createType, type Key, Mistake } from './type.ts'

export const http: Key<ListenerSettings> = {
  name: 'http',
  origin: 'nats-server',
  type: loopbackAddress,
  defaultNote: 'none',
  meaning:
    'Where to answer over HTTP about health, metrics and staples: `host:port`, or a port alone, which is on 127.0.0.1: others can ask only where an address is given.',
  example: 'http: "127.0.0.1:8222"',
}

export const httpPort: Key<number | 'none'> = {
  name: 'http_port',
  aliases: ['monitor_port'],
  origin: 'nats-server',
  type: createType('port', 'a port: 1 to 65535, -1 for any that is free, 0 for none', (value) => {
    if (value.kind !== 'integer') return new Mistake('not a port', 'write a number, without quotes')
    const port = Number(value.value)
    if (port === 0) return 'none'
    if (port === -1) return 0
    return port > 0 && port <= 65_535 ? port : new Mistake(`"${port}" is not a port`, 'ports are 1 to 65535')
  }),
  defaultNote: 'none',
  meaning: 'The port of `http`, on 127.0.0.1. `http` wins over it.',
  example: 'http_port: 8222',
}

export const controlSocket: Key<string> = {
  name: 'control_socket',
  origin: 'own',
  type: path,
  defaultNote:
    "`staplewright.sock` in `store_dir`; without one, or where that path is too long for a socket, a name made of the configuration's path, in `/run/staplewright` for root, else in `$XDG_RUNTIME_DIR/staplewright`, else in `/tmp/staplewright-UID`",
  meaning:
    'The Unix socket that `staplewright status`, `reload` and `refresh` talk to; only the user that the daemon runs as may. At most 107 bytes long.',
  example: 'control_socket: "/run/staplewright/front.sock"',
}
