/** All crafted bad responses, and how a row becomes bytes: for the rules themselves and for servers that staple them. */
import type { VerifyOptions } from '../../../../src/pki/ocsp/options.ts'
import { directDraft, forgedAt, forgeResponse, world } from '../../forge.ts'
import { authorityRows } from './authority.ts'
import { basicRows } from './basic.ts'
import { entryRows } from './entry.ts'
import { outerRows } from './outer.ts'
import type { BadRow } from './row.ts'
import { signatureRows } from './signature.ts'

export const groups = {
  envelope: outerRows,
  basicResponse: basicRows,
  entry: entryRows,
  signature: signatureRows,
  authority: authorityRows,
} as const

export const badRows: readonly BadRow[] = Object.values(groups).flat()

export interface PreparedCase {
  readonly der: Uint8Array
  readonly options: VerifyOptions
}

/** The draft before it was broken, and after. */
export function prepare(row: BadRow): { readonly right: PreparedCase; readonly broken: PreparedCase } {
  const { certificate, issuer } = (row.of ?? world)()
  const options: VerifyOptions = { certificate, issuer, at: forgedAt, ...row.options?.() }
  const draft = (row.baseline ?? directDraft)()
  const broken = row.breakIt(draft)
  return {
    right: { der: forgeResponse(draft), options },
    broken: {
      der: broken instanceof Uint8Array ? broken : forgeResponse(broken),
      options: { ...options, ...row.brokenOptions?.() },
    },
  }
}
