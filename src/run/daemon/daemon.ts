/**
 * The daemon: a configuration's keeper and doors, opened in order, watched by the policies, reloaded, drained in order.
 *
 * It decides nothing about staples (keep/keeper) or handshakes (serve/terminator). It never ends the process: `run`
 * resolves with the exit code, and the command that called it does the rest.
 */
import type { AddressInfo } from 'node:net'
import { type Clock, repeat, systemClock } from '../../keep/clock.ts'
import { createTicketKeys } from '../../serve/terminator/index.ts'
import { type Admin, type AdminSubject, createAdmin, type RefreshOutcome, type ReloadOutcome } from '../admin/index.ts'
import type { LoadedConfig, Settings } from '../config/index.ts'
import { formatAddress } from '../journal/address.ts'
import type { Journal, Line } from '../journal/journal.ts'
import { createNarrator, type Narrate } from '../journal/narrate.ts'
import { createMetrics } from '../metrics/index.ts'
import { createPeerDesk } from '../peers/desk.ts'
import type { FrontHost } from '../workers/host.ts'
import { createInProcessHost } from '../workers/in-process.ts'
import { createWorkersHost } from '../workers/workers-host.ts'
import { type Admission, awaitAdmission } from './admission.ts'
import { describeDaemon, type Phase } from './describe.ts'
import { ExitCode } from './exit-code.ts'
import { awaitedIn, buildHouse, type House, planHouse } from './house.ts'
import { createFrontNarrator } from './narrate-front.ts'
import { askAgain } from './refresh.ts'
import { createReloader } from './reload.ts'
import { createStapleSwitch, type StapleSwitch } from './staple-switch.ts'
import { stayAlive } from './stay-alive.ts'
import { watchRenewals } from './watch-renewals.ts'

export interface Daemon extends AdminSubject {
  /** What it serves, whichever keeper holds it. */
  readonly staples: StapleSwitch
  /**
   * Opens the doors when the start policies allow it and serves until stopped.
   *
   * @param onOpen - called once with the addresses, in the order of the configuration
   * @returns the exit code
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when an address cannot be had; nothing stays open
   */
  run(onOpen?: (addresses: readonly AddressInfo[]) => void): Promise<ExitCode>
  /**
   * Stops in order: no new connections, the open ones may finish, then the keeper. The first call's exit code stands;
   * a second call cuts what is still open.
   */
  stop(because: string, exitCode?: ExitCode): void
  reload(because?: string): Promise<ReloadOutcome>
}

export interface DaemonOptions {
  readonly settings: Settings
  readonly journal: Journal
  /** Reads the configuration anew, or out of these texts with the files that they name. Without it there is no reload. */
  readonly load?: (texts?: ReadonlyMap<string, Uint8Array>) => Promise<LoadedConfig>
  /** Default: the machine's. */
  readonly clock?: Clock
  /** How workers that outlive this process write their lines. Default JSON. */
  readonly format?: 'text' | 'json'
  /** How the keeper's events become lines. Default: {@link createNarrator}. */
  readonly narrate?: Narrate
}

/** Assembles a daemon. Its store is opened now; nothing is asked and nothing listens before `run`. */
export function createDaemon(options: DaemonOptions): Daemon {
  const { journal, clock = systemClock, narrate = createNarrator() } = options
  const ending = new AbortController()
  const startedAt = clock.now()
  let house = buildHouse(options.settings, clock)
  const staples = createStapleSwitch(house.keeping.keeper)
  const narrateFront = createFrontNarrator()
  let exitCode: ExitCode = ExitCode.ok
  let phase: Phase = 'closed'
  let host: FrontHost | undefined
  let admission = new AbortController()
  const metrics = createMetrics()
  const peers = createPeerDesk({ clock, say }, options.settings)
  let admin: Admin | undefined
  let lastReload: { at: Date; isDone: boolean; message: string } | undefined

  const renewals = watchRenewals({
    clock,
    renew: (because) => reloader.renew(because),
    ended: recordReload,
    said: (text, level) => journal.say({ level, text }),
  })

  const reloader = createReloader({
    clock,
    staples,
    host: () => (phase === 'open' ? host : undefined),
    load: options.load ?? noReload,
    house: () => house,
    moveIn(next) {
      const isNewDoor = JSON.stringify(next.settings.admin) !== JSON.stringify(house.settings.admin)
      house = next
      renewals.follow(next.settings)
      void peers.follow(next.settings)
      if (isNewDoor) void openAdmin()
      // With closed doors the waiting begins anew, for what is waited for may be another.
      admission.abort()
      sayUnstapled()
    },
    said: (text, level) => journal.say({ level, text }),
  })

  function say(line: Line | undefined): void {
    if (line) journal.say(line)
  }

  function stop(because: string, code: ExitCode = ExitCode.ok): void {
    if (ending.signal.aborted) {
      journal.say({ level: 'info', text: `ending now: ${because}, a second time` })
      host?.cut()
      return
    }
    exitCode = code
    journal.say({
      level: code === ExitCode.ok ? 'info' : 'error',
      text: `stopping: ${because}`,
      fields: { exitCode: code },
    })
    ending.abort()
  }

  /** Opens the doors through which it is asked about itself, in the place of those that are open. Never rejects. */
  async function openAdmin(): Promise<void> {
    await admin?.close()
    admin = createAdmin({ settings: house.settings.admin, subject: daemon, clock, say, metrics })
    await admin.open()
  }

  function sayUnstapled(): void {
    for (const { label } of house.enrolment.unstapledMustStaple) {
      const text = 'the certificate is Must-Staple, but mode never staples nothing: strict clients will refuse it'
      journal.say({ level: 'warn', subject: label, text })
    }
  }

  /** Waits until the doors may open; a reload in the meantime begins the waiting anew. */
  async function admit(): Promise<{ admission: Admission; house: House }> {
    for (;;) {
      admission = new AbortController()
      const admitted = house
      const { keeping, settings } = admitted
      const signal = AbortSignal.any([ending.signal, admission.signal])
      const { keeper } = keeping
      const outcome = await awaitAdmission(
        { keeper, clock, startTimeoutMs: settings.startTimeoutMs, signal },
        awaitedIn(admitted),
        (missing) => {
          const names = missing.map((entry) => entry.label).join(', ')
          const text = `the doors stay closed (on_start: require) until these are stapled: ${names}`
          journal.say({ level: 'warn', text })
        },
      )
      if (!admission.signal.aborted || ending.signal.aborted) return { admission: outcome, house: admitted }
    }
  }

  function createHost(): FrontHost {
    const { workers, admin } = house.settings
    const common = { staples, clock, ticketKeys: createTicketKeys(), judgePeer: peers.judge }
    if (workers === 1) return createInProcessHost({ ...common, orphans: { socket: admin.socket, clock, say } })
    const orphanage = { socket: admin.socket, format: options.format ?? 'json' }
    return createWorkersHost({ ...common, count: workers, orphanage, say })
  }

  async function openDoors(missing: string): Promise<readonly AddressInfo[]> {
    const front = createHost()
    host = front
    front.subscribe((event) => {
      metrics.record(event)
      if (event.type === 'stop') stop(`${event.site}: ${stopReasons[event.reason]}`, ExitCode.revoked)
      say(narrateFront(event))
    })
    const prepared = await front.prepare(planHouse(house))
    phase = 'open'
    const addresses = await prepared.commit()
    for (const address of addresses) {
      const text = `open on ${formatAddress(address)} -> ${describeBackends(house.settings)}${missing}`
      journal.say({ level: 'notice', subject: 'front', text })
    }
    return addresses
  }

  async function run(onOpen?: (addresses: readonly AddressInfo[]) => void): Promise<ExitCode> {
    const letGo = stayAlive()
    staples.subscribe((event) => {
      metrics.record(event)
      say(narrate(event))
      reloader.lookAtGates()
    })
    const cancelRotation = repeat(clock, ticketRotationMs, () => host?.setTicketKeys(createTicketKeys()))
    try {
      await openAdmin()
      sayUnstapled()
      if (options.load) renewals.follow(house.settings)
      let addresses: readonly AddressInfo[] | undefined
      while (addresses === undefined) {
        const { admission: outcome, house: admitted } = await admit()
        if (outcome.kind === 'end') {
          stop(outcome.because, outcome.exitCode)
          return exitCode
        }
        const names = outcome.missing.map((entry) => entry.label).join(', ')
        const missing = names === '' ? '' : `; not stapled yet: ${names}`
        // A reload may have come in between: what was admitted is not what would be opened.
        addresses = await reloader.inTurn(async () => (house === admitted ? openDoors(missing) : undefined))
      }
      reloader.lookAtGates()
      onOpen?.(addresses)
      await aborted(ending.signal)
      return exitCode
    } finally {
      phase = 'draining'
      renewals.close()
      const reloaded = reloader.close()
      cancelRotation()
      await host?.drain()
      await reloaded
      await peers.close()
      await house.keeping.close()
      await admin?.close()
      letGo()
    }
  }

  async function reload(because = 'asked to'): Promise<ReloadOutcome> {
    const outcome = await reloader.reload(because)
    recordReload(outcome)
    return outcome
  }

  function recordReload({ isDone, message }: ReloadOutcome): void {
    lastReload = { at: clock.now(), isDone, message }
    metrics.record({ type: 'reloaded', isDone })
  }

  const daemon: Daemon = {
    staples,
    run,
    stop,
    reload: (because) => reload(because),
    refresh(which): Promise<RefreshOutcome> {
      say({ level: 'info', text: which === undefined ? 'asking every responder now' : `asking about ${which} now` })
      return askAgain(house, which)
    },
    status: async () =>
      describeDaemon({
        house,
        staples,
        now: clock.now(),
        startedAt,
        phase,
        front: await host?.status(),
        peerCache: peers.status(),
        ...(lastReload && { lastReload }),
      }),
  }
  return daemon
}

const stopReasons = {
  revoked: 'the certificate is revoked (on_revoked: stop)',
  unknown: 'the responder does not know the certificate (on_unknown: stop)',
} as const

/** Keys that never change would let who steals them read every session ever sealed with them. */
const ticketRotationMs = 12 * 3_600_000

async function noReload(): Promise<never> {
  throw new Error('this daemon was not given a way to read its configuration again')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function describeBackends(settings: Settings): string {
  return [...new Set(settings.sites.map((site) => site.backend.urls.join(' or ')))].join(', ')
}
