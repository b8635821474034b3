/** Each step of a probe ends in time: when it takes too long, and when the caller stops. */
import { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { stopOf } from '../../keep/fetch/stop.ts'

export interface Limits {
  readonly clock: Clock
  /** For each step. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Where a connection goes, for messages: `192.0.2.1:443`, `[2001:db8::1]:443`. */
export function placeOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/**
 * Waits for one step.
 *
 * @param step - what the step is, as `no TLS handshake`, for the message
 * @param place - where it happens
 * @param timeoutMs - default the limits' own
 * @throws {@link StapleError} `ERR_PROBE_TIMEOUT` when it takes too long, `ERR_PROBE_CONNECT` when the caller stops; else what the step throws
 */
export function inTime<T>(
  limits: Limits,
  step: string,
  place: string,
  work: Promise<T>,
  timeoutMs: number = limits.timeoutMs,
): Promise<T> {
  const { clock, signal } = limits
  return new Promise((resolve, reject) => {
    const settle = () => {
      cancel()
      cancelStop?.()
    }
    const stop = () => {
      settle()
      reject(new StapleError('ERR_PROBE_CONNECT', `${place}: the probe was stopped`, { place, found: 'stopped' }))
    }
    const cancel = clock.wake(timeoutMs, () => {
      settle()
      const expected = `an end within ${timeoutMs} ms`
      reject(
        new StapleError('ERR_PROBE_TIMEOUT', `${place}: ${step} within ${timeoutMs} ms`, {
          place,
          found: step,
          expected,
        }),
      )
    })
    // All targets of a run share one signal.
    const cancelStop = signal && stopOf(signal).onStop(stop)
    work.then(
      (value) => {
        settle()
        resolve(value)
      },
      (error) => {
        settle()
        reject(error)
      },
    )
    if (signal?.aborted) stop()
  })
}
