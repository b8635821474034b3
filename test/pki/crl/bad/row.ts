/**
 * One crafted bad CRL: what it breaks, and the refusal that must come of it.
 *
 * The draft before `breakIt` is accepted; the test proves that for each row, so a refusal is for what was broken.
 */
import type { ErrorCode } from '../../../../src/errors.ts'
import type { VerifyCrlOptions } from '../../../../src/pki/crl/index.ts'
import type { World } from '../../forge.ts'
import type { CrlDraft } from '../forge.ts'

export interface BadCrlRow {
  /** Reads after "refuses a CRL …". */
  readonly what: string
  /** The draft that is right; default three entries, P-256. */
  readonly baseline?: () => CrlDraft
  /** Breaks the draft; what it gives as bytes replaces the whole CRL. */
  readonly breakIt: (draft: CrlDraft) => CrlDraft | Uint8Array
  /** Who is asked about; default the P-256 world. */
  readonly of?: () => World
  /** Options of verification, for the right draft and the broken one. */
  readonly options?: () => Partial<VerifyCrlOptions>
  /** Options that are part of what is broken. */
  readonly brokenOptions?: () => Partial<VerifyCrlOptions>
  readonly code: ErrorCode
  readonly field: string
  readonly expected: string | RegExp
  readonly found: string | RegExp
  readonly clause: string
}
