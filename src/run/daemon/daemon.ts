/**
 * The daemon: a configuration's keeper and doors, opened in order, watched by the policies, drained in order.
 *
 * It decides nothing about staples (keep/keeper) or handshakes (serve/terminator). It never ends the process: `run`
 * resolves with the exit code, and the command that called it does the rest.
 */
import type { AddressInfo } from 'node:net'
import { type Clock, systemClock } from '../../keep/clock.ts'
import type { Keeper } from '../../keep/keeper/index.ts'
import { createTerminator, type Terminator } from '../../serve/terminator/index.ts'
import type { Settings } from '../config/index.ts'
import type { Journal } from '../journal/journal.ts'
import { createNarrator, type Narrate } from '../journal/narrate.ts'
import { awaitAdmission } from './admission.ts'
import { ExitCode } from './exit-code.ts'
import { createStapleKeeping, keepCertificates } from './keep-staples.ts'
import { createFrontNarrator } from './narrate-front.ts'
import { stayAlive } from './stay-alive.ts'

export interface Daemon {
  readonly keeper: Keeper
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
  /** Asks every responder now. */
  refresh(): void
}

export interface DaemonOptions {
  readonly settings: Settings
  readonly journal: Journal
  /** Default: the machine's. */
  readonly clock?: Clock
  /** How the keeper's events become lines. Default: {@link createNarrator}. */
  readonly narrate?: Narrate
}

/** Assembles a daemon. Its store is opened now; nothing is asked and nothing listens before `run`. */
export function createDaemon({
  settings,
  journal,
  clock = systemClock,
  narrate = createNarrator(),
}: DaemonOptions): Daemon {
  const ending = new AbortController()
  const keeping = createStapleKeeping(settings, clock)
  const { keeper } = keeping
  let exitCode: ExitCode = ExitCode.ok
  let terminator: Terminator | undefined

  function stop(because: string, code: ExitCode = ExitCode.ok): void {
    if (ending.signal.aborted) {
      journal.say({ level: 'info', text: `ending now: ${because}, a second time` })
      terminator?.cut()
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

  async function run(onOpen?: (addresses: readonly AddressInfo[]) => void): Promise<ExitCode> {
    const letGo = stayAlive()
    try {
      keeper.subscribe((event) => {
        const line = narrate(event)
        if (line) journal.say(line)
      })
      const { awaited, unstapledMustStaple } = keepCertificates(keeper, settings)
      for (const { label } of unstapledMustStaple) {
        const text = 'the certificate is Must-Staple, but mode never staples nothing: strict clients will refuse it'
        journal.say({ level: 'warn', subject: label, text })
      }
      const admission = await awaitAdmission(
        { keeper, clock, startTimeoutMs: settings.startTimeoutMs, signal: ending.signal },
        awaited,
        (missing) => {
          const names = missing.map((entry) => entry.label).join(', ')
          journal.say({
            level: 'warn',
            text: `the doors stay closed (on_start: require) until these are stapled: ${names}`,
          })
        },
      )
      if (admission.kind === 'end') {
        stop(admission.because, admission.exitCode)
        return exitCode
      }
      terminator = createTerminator({
        listeners: settings.listeners,
        sites: settings.sites.map((site) => ({
          names: site.names,
          backend: site.backend,
          mode: site.mode,
          policies: site.policies,
          minVersion: site.minVersion,
          ...(site.ciphers !== undefined && { ciphers: site.ciphers }),
          ...(site.ecdhCurve !== undefined && { ecdhCurve: site.ecdhCurve }),
          certificates: site.certificates.map(({ chainPem, keyPem, certificateKey }) => ({
            chain: chainPem,
            key: keyPem,
            certificateKey,
          })),
        })),
        keeper,
        clock,
        alpn: settings.alpn,
        unknownSni: settings.unknownSni,
        ...settings.timeouts,
        ...settings.limits,
      })
      const narrateFront = createFrontNarrator()
      terminator.subscribe((event) => {
        if (event.type === 'stop') stop(`${event.site}: ${stopReasons[event.reason]}`, ExitCode.revoked)
        const line = narrateFront(event)
        if (line) journal.say(line)
      })
      const addresses = await terminator.listen()
      for (const { address, port } of addresses) {
        const missing =
          admission.missing.length === 0
            ? ''
            : `; not stapled yet: ${admission.missing.map((entry) => entry.label).join(', ')}`
        journal.say({
          level: 'notice',
          subject: 'front',
          text: `open on ${formatAddress(address, port)} -> ${describeBackends(settings)}${missing}`,
        })
      }
      onOpen?.(addresses)
      await aborted(ending.signal)
      return exitCode
    } finally {
      await terminator?.drain()
      await keeping.close()
      letGo()
    }
  }

  return {
    keeper,
    run,
    stop,
    refresh() {
      journal.say({ level: 'info', text: 'asking every responder now' })
      keeper.refresh().catch(() => {
        // Each failure was an event of its own and has been said.
      })
    },
  }
}

const stopReasons = {
  revoked: 'the certificate is revoked (on_revoked: stop)',
  unknown: 'the responder does not know the certificate (on_unknown: stop)',
} as const

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function describeBackends(settings: Settings): string {
  return [...new Set(settings.sites.map((site) => site.backend.urls.join(' or ')))].join(', ')
}
