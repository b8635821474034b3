/**
 * The events of all workers as those of one front: what each of them finds out by itself (a certificate is refused,
 * everything is to stop) is told once.
 */
import type { TerminatorEvent } from '../../serve/terminator/index.ts'

export interface Gathering {
  /**
   * Takes what a worker told.
   *
   * @returns what that means for the sessions of clients: `new` ticket keys for everybody, the `same` for that worker,
   * which has made some of its own
   */
  take(event: TerminatorEvent): 'new' | 'same' | undefined
  /** Forgets what was told of other certificates. */
  keepOnly(certificateKeys: ReadonlySet<string>): void
}

/** Creates a gathering that has heard nothing. */
export function createGathering(announce: (event: TerminatorEvent) => void): Gathering {
  const refused = new Map<string, { certificateKey: string; reason: string }>()
  const stopped = new Map<string, { certificateKey: string; reason: string }>()

  /** Whether it is news. */
  function note(known: typeof refused, event: Extract<TerminatorEvent, { certificateKey: string; reason: string }>) {
    const key = keyOf(event)
    if (known.get(key)?.reason === event.reason) return false
    known.set(key, event)
    announce(event)
    return true
  }

  return {
    take(event) {
      switch (event.type) {
        case 'certificate-refused':
          return note(refused, event) ? 'new' : 'same'
        case 'stop':
          return note(stopped, event) ? 'new' : 'same'
        case 'certificate-restored':
          if (refused.delete(keyOf(event))) announce(event)
          return 'same'
        case 'drained':
          // The host tells when the last of them has.
          return undefined
        default:
          announce(event)
          return undefined
      }
    },
    keepOnly(certificateKeys) {
      for (const known of [refused, stopped]) {
        for (const [key, { certificateKey }] of known) if (!certificateKeys.has(certificateKey)) known.delete(key)
      }
    },
  }
}

function keyOf({ site, certificateKey }: { readonly site: string; readonly certificateKey: string }): string {
  return `${certificateKey} ${site}`
}
