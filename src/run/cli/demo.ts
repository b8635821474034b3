/** `staplewright demo`: sets the stage, runs the daemon on it, and shows what a client gets while things go wrong. */
import type { AddressInfo } from 'node:net'
import { StapleError } from '../../errors.ts'
import { systemClock } from '../../keep/clock.ts'
import type { KeeperEvent } from '../../keep/keeper/index.ts'
import { loadConfig } from '../config/index.ts'
import { createDaemon, type Daemon } from '../daemon/daemon.ts'
import { ExitCode } from '../daemon/exit-code.ts'
import { probeListeners } from '../daemon/probe-listeners.ts'
import { look } from '../demo/client.ts'
import { showCommands, showKeys, showSighting, showSightingBriefly, showStage } from '../demo/show.ts'
import { type Stage, setStage } from '../demo/stage.ts'
import { openJournal } from '../journal/journal.ts'
import { chooseStyle, type Io } from './io.ts'

export interface DemoArguments {
  readonly once?: boolean
  readonly port?: number
  readonly wantsColour: boolean
}

/** Runs the demo; resolves with 0 when it is asked to end. */
export async function demo(given: DemoArguments, io: Io): Promise<ExitCode> {
  const style = chooseStyle(io, io.stdout, given.wantsColour)
  const port = given.port ?? (await firstFreePort(8443))
  await probeListeners([{ host: '127.0.0.1', port }])
  const stage = await setStage(port)
  try {
    const load = () => loadConfig(stage.configFile, { environment: {}, workingDirectory: stage.directory })
    const { settings } = await load()
    const { now } = systemClock
    const journal = await openJournal({
      format: 'text',
      level: given.once ? 'error' : 'info',
      stream: io.stdout,
      style,
      now,
    })
    const daemon = createDaemon({ settings, journal, load })
    let isEnding = false
    const end = (because: string) => {
      isEnding = true
      daemon.stop(because)
    }
    const ignored = [io.onSignal('SIGINT', () => end('SIGINT')), io.onSignal('SIGTERM', () => end('SIGTERM'))]
    io.stdout.once('error', () => end('nobody reads on'))
    let ignoreKeys: (() => void) | undefined

    const lookBriefly = async () => {
      try {
        io.stdout.write(showSightingBriefly(await look(frontPort, stage.authority.rootPem, now), now(), style))
      } catch (thrown) {
        io.stdout.write(`the client could not connect: ${(thrown as Error).message}\n`)
      }
    }
    let frontPort: number = port
    let isLooking = false
    const opened = async ([address]: readonly AddressInfo[]) => {
      frontPort = address?.port ?? port
      io.stdout.write(`\nA client connects:\n`)
      io.stdout.write(showSighting(await look(frontPort, stage.authority.rootPem, now), now(), style))
      if (given.once) return daemon.stop('--once')
      io.stdout.write(showCommands(stage, frontPort, style))
      if (io.stdin.isTTY) {
        io.stdout.write(showKeys(style))
        ignoreKeys = listenForKeys(io, { daemon, stage, lookBriefly })
      } else {
        io.stdout.write('\nCtrl-C ends it. The staple is replaced every half minute or so:\n')
      }
      daemon.staples.subscribe((event) => {
        // Several events can tell of one change: one look is enough.
        if (!isVisible(event) || isLooking) return
        isLooking = true
        setImmediate(() => {
          isLooking = false
          void lookBriefly()
        })
      })
    }

    io.stdout.write(showStage(stage, port, style))
    try {
      let failure: unknown
      const exitCode = await daemon.run((addresses) => {
        opened(addresses).catch((thrown) => {
          // The doors may close before the first client is through them.
          if (isEnding) return
          failure = thrown
          daemon.stop('the demo failed', ExitCode.internal)
        })
      })
      if (failure) throw failure
      return exitCode
    } finally {
      ignoreKeys?.()
      for (const ignore of ignored) ignore()
      journal.close()
    }
  } finally {
    await stage.close()
  }
}

interface Actors {
  readonly daemon: Daemon
  readonly stage: Stage
  readonly lookBriefly: () => Promise<void>
}

function listenForKeys(io: Io, { daemon, stage, lookBriefly }: Actors): () => void {
  const say = (text: string) => io.stdout.write(`         ${text}\n`)
  const press = async (key: string) => {
    if (key === 'q' || key === '\u0003') return daemon.stop('asked to quit')
    if (key === 'c') return lookBriefly()
    if (key === 'a') return daemon.refresh()
    if (key === 'r' && stage.isResponderUp) {
      await stage.stopResponder()
      say(
        'the responder is down. The staple in hand serves on until shortly before its nextUpdate; r brings the responder back',
      )
    } else if (key === 'r') {
      await stage.startResponder()
      say('the responder is up again; the keeper comes back to it by itself')
    } else if (key === 'k') {
      if (stage.isRevoked) stage.unrevoke()
      else stage.revoke()
      say(
        stage.isRevoked
          ? 'the CA revoked the certificate; the responder is asked now'
          : 'the CA lifted the revocation; the responder is asked now',
      )
      daemon.refresh()
    }
  }
  const onData = (chunk: Buffer) => {
    for (const key of chunk.toString('latin1')) press(key).catch((thrown: Error) => say(thrown.message))
  }
  io.stdin.setRawMode(true)
  io.stdin.on('data', onData)
  io.stdin.resume()
  return () => {
    io.stdin.off('data', onData)
    io.stdin.setRawMode(false)
    io.stdin.pause()
  }
}

/** What changes the staple that a client sees. */
function isVisible(event: KeeperEvent): boolean {
  return ['refreshed', 'revoked', 'unrevoked', 'stale', 'restored'].includes(event.type)
}

async function firstFreePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 20; port++) {
    try {
      await probeListeners([{ host: '127.0.0.1', port }])
      return port
    } catch {
      // Taken: the next one.
    }
  }
  throw new StapleError('ERR_TERMINATOR_LISTEN', `no free port from ${wanted} to ${wanted + 19}`, {
    address: `127.0.0.1:${wanted}`,
  })
}
