/** A line on the terminal while work takes longer than a second: how far it is. Erased at its end. */
import { type Clock, repeat } from '../../../keep/clock.ts'
import type { Io } from '../io.ts'

export interface Progress {
  /** One more is done. */
  step(isBad: boolean): void
  end(): void
}

/** Begins; says nothing where the stream is no terminal that can take a line back. */
export function startProgress({ stderr, environment }: Io, total: number, clock: Clock): Progress {
  let done = 0
  let bad = 0
  let isShown = false
  const draw = () => {
    isShown = true
    const filled = Math.floor((done / total) * cells)
    const bar = `${'━'.repeat(filled)}${'─'.repeat(cells - filled)}`
    const text = `${bar} ${done} of ${total} targets${bad > 0 ? `, ${bad} not well` : ''}`
    stderr.write(`${eraseLine}${text.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`)
  }
  let stop =
    stderr.isTTY && environment.TERM !== 'dumb'
      ? clock.wake(quietMs, () => {
          draw()
          stop = repeat(clock, everyMs, draw)
        })
      : () => {}
  return {
    step(isBad) {
      done += 1
      if (isBad) bad += 1
    },
    end() {
      stop()
      if (isShown) stderr.write(eraseLine)
    },
  }
}

const eraseLine = '\r\u001b[K'
const quietMs = 1_000
const everyMs = 200
const cells = 30
