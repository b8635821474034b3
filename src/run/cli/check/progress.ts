/** A line on the terminal while work takes longer than a second: how far it is. Erased at its end. */
import { type Clock, repeat } from '../../../keep/clock.ts'

export interface Progress {
  /** One more is done. */
  step(isBad: boolean): void
  end(): void
}

/** Begins; says nothing where the stream is no terminal. */
export function startProgress(stream: NodeJS.WriteStream, total: number, what: string, clock: Clock): Progress {
  let done = 0
  let bad = 0
  let isShown = false
  const draw = () => {
    isShown = true
    const filled = Math.floor((done / total) * cells)
    const bar = `${'━'.repeat(filled)}${'─'.repeat(cells - filled)}`
    const text = `${bar} ${done} of ${total} ${what}${bad > 0 ? `, ${bad} not well` : ''}`
    stream.write(`\r\u001b[K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
  }
  let stop = stream.isTTY
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
      if (isShown) stream.write('\r\u001b[K')
    },
  }
}

const quietMs = 1_000
const everyMs = 200
const cells = 30
