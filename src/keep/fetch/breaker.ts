/**
 * Which hosts are down: after so many failures in a row, one probe at a time until one is answered.
 *
 * Only what says that the host is broken counts (transport faults, 5xx, bodies that are no OCSP response): `unauthorized`
 * or `tryLater` for one certificate never closes a host for the others. No timers: the caller's cadence is the probing.
 */

export interface Breaker {
  /**
   * Asks to be let through to the host.
   *
   * @returns undefined when the host is down and somebody else probes it; else where to tell what came of it
   */
  enter(host: string): Passage | undefined
  /** Failures in a row. */
  failures(host: string): number
}

export interface Passage {
  /** The host answered like a working one. */
  answered(): void
  /** The host is broken. */
  failed(): void
  /** Nobody asks any more; says nothing about the host unless told before. */
  leave(): void
}

interface HostState {
  failures: number
  isProbed: boolean
}

/** A host is forgotten when it works, so only broken ones take room; this many at most. */
const mostHosts = 10_000

export function createBreaker(breakAfter: number): Breaker {
  const hosts = new Map<string, HostState>()
  return {
    enter(name) {
      const known = hosts.get(name)
      const isProbe = known !== undefined && known.failures >= breakAfter
      if (isProbe) {
        if (known.isProbed) return undefined
        known.isProbed = true
      }
      return {
        answered() {
          hosts.delete(name)
        },
        failed() {
          const host = hosts.get(name) ?? { failures: 0, isProbed: false }
          host.failures++
          hosts.set(name, host)
          if (hosts.size > mostHosts) hosts.delete(hosts.keys().next().value as string)
        },
        leave() {
          if (isProbe) known.isProbed = false
        },
      }
    },
    failures: (name) => hosts.get(name)?.failures ?? 0,
  }
}
