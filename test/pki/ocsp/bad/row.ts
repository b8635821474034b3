/**
 * One crafted bad response: what it breaks, and the refusal that must come of it.
 *
 * The draft before `breakIt` is accepted; the test proves that for each row, so a refusal is for what was broken.
 */
import type { ErrorCode } from '../../../../src/errors.ts'
import type { VerifyOptions } from '../../../../src/pki/ocsp/options.ts'
import type { ResponseDraft, World } from '../../forge.ts'

export interface BadRow {
  /** Reads after "refuses a response …". */
  readonly what: string
  /** The draft that is right; default: signed by the P-256 issuer itself. */
  readonly baseline?: () => ResponseDraft
  /** Breaks the draft; what it gives as bytes replaces the whole response. */
  readonly breakIt: (draft: ResponseDraft) => ResponseDraft | Uint8Array
  /** Who is asked about; default the P-256 world. */
  readonly of?: () => World
  /** Options of verification, for the right draft and the broken one. */
  readonly options?: () => Partial<VerifyOptions>
  /** Options that are part of what is broken. */
  readonly brokenOptions?: () => Partial<VerifyOptions>
  readonly code: ErrorCode
  readonly field: string
  readonly expected: string | RegExp
  readonly found: string | RegExp
  readonly clause: string
}
