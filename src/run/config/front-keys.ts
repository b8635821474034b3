/** Keys about where connections come in and go to. */

import { availableParallelism } from 'node:os'
import { hostName, listenAddress, portNumber, protocolName } from './address.ts'
import { network } from './network.ts'
import { count, duration, oneOf } from './scalar.ts'
import type { ListenerSettings } from './settings.ts'
import { createType, type Key, type Located, listOf, Mistake } from './type.ts'

const maxWorkers = 64
const second = 1_000
const hour = 3_600 * second
const day = 24 * hour

export const listen: Key<readonly Located<ListenerSettings>[]> = {
  name: 'listen',
  origin: 'nats-server',
  type: listOf(listenAddress, 'addresses'),
  default: '"0.0.0.0:4222"',
  meaning: 'Where to take connections: `host:port`, a port alone, or a list of them. Port 0 or -1: any that is free.',
  example: 'listen: "0.0.0.0:8443"',
}

export const host: Key<string> = {
  name: 'host',
  aliases: ['net'],
  origin: 'nats-server',
  type: hostName,
  defaultNote: '`0.0.0.0`',
  meaning: 'The host of `listen`, on its own. `listen` wins over it.',
  example: 'host: "127.0.0.1"',
}

export const port: Key<number> = {
  name: 'port',
  origin: 'nats-server',
  type: portNumber,
  defaultNote: '4222',
  meaning: 'The port of `listen`, on its own. `listen` wins over it.',
  example: 'port: 8443',
}

export const alpn: Key<readonly Located<string>[]> = {
  name: 'alpn',
  origin: 'own',
  type: listOf(protocolName, 'protocols', true),
  default: '[]',
  meaning:
    'The protocols offered in ALPN, best first. The backend is not told which one was chosen, so name those it speaks.',
  example: 'alpn: ["http/1.1"]',
}

export const unknownSni: Key<'default' | 'refuse'> = {
  name: 'unknown_sni',
  origin: 'own',
  type: oneOf('default', 'refuse'),
  default: 'default',
  meaning:
    'What a client gets that asks for a name of no site: the default site, or an end. A client that asks for no name gets the default site in any case.',
  example: 'unknown_sni: refuse',
}

export const maxConnections: Key<number> = {
  name: 'max_connections',
  aliases: ['max_conn'],
  origin: 'nats-server',
  type: count(1, 1_000_000),
  default: '65536',
  meaning: 'Connections at once; what comes above is closed at the door.',
  example: 'max_connections: 64k',
}

export const idleTimeout: Key<number> = {
  name: 'idle_timeout',
  origin: 'own',
  type: duration({ least: 0, most: 30 * day }),
  default: '"1h"',
  meaning: 'A connection on which no byte moves for so long is closed. `"0s"`: never.',
  example: 'idle_timeout: "10m"',
}

export const drainTimeout: Key<number> = {
  name: 'drain_timeout',
  aliases: ['lame_duck_duration'],
  origin: 'own',
  type: duration({ least: 0, most: day }),
  default: '"30s"',
  meaning:
    "How long open connections may go on after SIGTERM, or when a policy stops the process. nats-server's name for it is `lame_duck_duration`.",
  example: 'drain_timeout: "2m"',
}

export const acceptProxyProtocol: Key<readonly Located<string>[]> = {
  name: 'accept_proxy_protocol',
  origin: 'own',
  type: listOf(network, 'networks', true),
  defaultNote: 'none: a PROXY header ends the connection',
  meaning:
    'Networks of the load balancers in front: their connections must begin with a PROXY header (v1 or v2), which says who the client is. From elsewhere a header is refused.',
  example: 'accept_proxy_protocol: ["10.0.0.0/8", "2001:db8::7"]',
}

export const workers: Key<number> = {
  name: 'workers',
  origin: 'own',
  type: createType('integer, or `auto`', `a whole number from 1 to ${maxWorkers}, or auto`, (value) => {
    if (value.kind === 'string' && value.value.toLowerCase() === 'auto')
      return Math.min(availableParallelism(), maxWorkers)
    if (value.kind !== 'integer') return new Mistake('not a whole number', 'write digits without quotes, or auto')
    if (value.value < 1n) return new Mistake('too small', 'the least is 1: this process serves by itself')
    return value.value > BigInt(maxWorkers)
      ? new Mistake('too large', `the most is ${maxWorkers}`)
      : Number(value.value)
  }),
  default: '1',
  meaning:
    'Processes that serve, one keeper for all of them; `auto`: as many as there are cores. 1: no process beside this one.',
  example: 'workers: auto',
}
