/**
 * Where NATS meets the rest of the front: backends are dialled and asked for their INFO, before TLS or after it, and
 * what they say is rewritten on its way to the client.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { StapleError } from '../../../errors.ts'
import type { Clock } from '../../../keep/clock.ts'
import type { Arrivals } from '../arrival.ts'
import type { BackendPool } from '../backend/pool.ts'
import type { NatsEntrance } from '../entrance.ts'
import type { FrontPlan } from '../options.ts'
import type { Relay } from '../relay.ts'
import type { Site } from '../site.ts'
import { type NatsBackend, openNatsBackend } from './backend.ts'
import { formatInfo, type InfoRewriting, parseInfo } from './info.ts'
import { createInfoRewriter } from './info-rewriter.ts'
import { greet } from './opening.ts'

export interface NatsBridgeOptions {
  readonly plan: Pick<FrontPlan, 'nats'> & { readonly connectTimeoutMs: number }
  readonly clock: Clock
  readonly relay: Relay
  readonly arrivals: Arrivals
  /** The PROXY header that tells the backend who comes, if it is to be told. */
  header(client: Socket): Buffer | undefined
  failed(client: Socket, backend: string, error: StapleError): void
}

export interface NatsBridge {
  /** What comes before TLS. The client has named no site yet: the default one counts. */
  entrance(site: Site, pool: BackendPool): NatsEntrance
  /** Joins a client whose handshake is done with its backend. */
  join(client: TLSSocket, site: Site, pool: BackendPool): void
}

/** Creates a bridge. */
export function createNatsBridge(options: NatsBridgeOptions): NatsBridge {
  const { plan, clock, relay, arrivals, header, failed } = options
  const { handshake = 'after-info', advertise = [] } = plan.nats ?? {}

  function rewritingOf({ options: { clientAuth } }: Site): InfoRewriting {
    return { asksForCertificate: clientAuth !== undefined, advertise }
  }

  /** Takes the client to the first backend that introduces itself as it should. */
  function dial(client: Socket, pool: BackendPool): Promise<NatsBackend> {
    return new Promise((resolve, reject) => {
      let opened: NatsBackend
      const giveUp = pool.dial(
        {
          header: header(client),
          async open(socket, address, timeoutMs) {
            const secure = address.isTls ? (raw: Socket) => pool.secure(raw, address) : undefined
            opened = await openNatsBackend(socket, { url: address.url, clock, timeoutMs, secure })
            return opened.socket
          },
        },
        {
          connected() {
            client.off('close', giveUp)
            resolve(opened)
          },
          failed(error) {
            client.off('close', giveUp)
            reject(error)
          },
        },
      )
      client.once('close', giveUp)
    })
  }

  /** Nobody else holds the two any more. */
  function joinBackend(client: TLSSocket, backend: NatsBackend, rewriting: InfoRewriting, isGreeted: boolean): void {
    if (!isGreeted) greet(client, backend, rewriting)
    const { url } = backend
    const rewrite = (line: Buffer) => formatInfo(parseInfo(line, url), rewriting)
    relay(client, backend.socket, { transform: createInfoRewriter({ url, rewrite }) })
  }

  return {
    entrance: (site, pool) => ({ handshake, rewriting: rewritingOf(site), dial: (raw) => dial(raw, pool) }),
    join(client, site, pool) {
      const rewriting = rewritingOf(site)
      const arrival = arrivals.of(client)
      const backend = arrival?.backend
      if (arrival && backend) {
        arrival.backend = undefined
        joinBackend(client, backend, rewriting, arrival.isGreeted === true)
        return
      }
      client.on('error', ignore)
      dial(client, pool).then(
        (dialled) => {
          if (client.destroyed) dialled.socket.destroy()
          else joinBackend(client, dialled, rewriting, false)
        },
        (error: StapleError) => {
          if (client.destroyed) return
          client.destroy()
          failed(client, pool.url, error)
        },
      )
    },
  }
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}
