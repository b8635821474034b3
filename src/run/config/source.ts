/** Files as they were read, so that who reads them again can tell whether they have changed. */
import { createHash } from 'node:crypto'

export interface Source {
  /** Of its content: hex SHA-256. */
  readonly digest: string
  /** Of configuration files: the content, for reading certificates again under the same configuration. */
  readonly text?: Uint8Array
}

/** Tells one content of a file from another. */
export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
