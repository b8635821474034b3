/** What a real client tells of one connection: the same plain record whichever client it was. */

/** Where a client goes, and whom it trusts. */
export interface ClientTarget {
  /** On 127.0.0.1. */
  readonly port: number
  /** What it asks for by SNI and checks the certificate against; default localhost. */
  readonly name?: string
  /** PEM: the root it trusts. */
  readonly rootFile: string
  /** How long it may take; default 20 s, for a loaded machine. */
  readonly timeoutMs?: number
}

export interface ClientOutcome {
  /** The handshake was completed and the client had no objection to the certificate. */
  readonly connected: boolean
  /** What the client says of the staple; absent when it came to no certificate or does not tell. */
  readonly staple?: { readonly present: boolean; readonly certStatus?: CertStatus }
  /** The client's own words. */
  readonly refusedBecause?: string
  /** All that it wrote. */
  readonly output: string
}

export type CertStatus = 'good' | 'revoked' | 'unknown'

export const defaultTimeoutMs = 20_000

/** The first line that matches, without the spaces and stars around it. */
export function findLine(output: string, pattern: RegExp): string | undefined {
  const line = output.split(/\r?\n/).find((each) => pattern.test(each))
  return line?.replace(/^[\s*|<>-]+/, '').trim()
}
