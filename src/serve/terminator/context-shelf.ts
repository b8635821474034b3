/**
 * The TLS contexts of a front, kept from one generation to the next: what a reload did not change is not built again.
 *
 * OpenSSL takes about a millisecond to build one and holds some 30 kB for it, and no handshake goes on meanwhile: of ten
 * thousand certificates of which one was renewed, one is built.
 */
import { createHash } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'

export interface ContextShelf {
  /** Begins the set of a generation; what the set in use has already is taken from there. */
  begin(): ContextSet
}

export interface ContextSet {
  /** The context with these options. Throws what OpenSSL says of them. */
  of(options: SecureContextOptions): SecureContext
  /** This set is the one in use from now on. */
  use(): void
}

/** Creates an empty shelf. */
export function createContextShelf(): ContextShelf {
  let inUse: ReadonlyMap<string, SecureContext> = new Map()
  return {
    begin() {
      const contexts = new Map<string, SecureContext>()
      return {
        of(options) {
          const key = digestOf(options)
          const context = contexts.get(key) ?? inUse.get(key) ?? createSecureContext(options)
          contexts.set(key, context)
          return context
        },
        use() {
          inUse = contexts
        },
      }
    },
  }
}

/** Tells options apart by all that they hold, keys included; those are not kept. */
function digestOf(options: SecureContextOptions): string {
  return createHash('sha256').update(JSON.stringify(options)).digest('base64')
}
