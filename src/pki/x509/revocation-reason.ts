/** Why a certificate was revoked, as OCSP responses and CRL entries both say it. */

/** CRLReason by number; 7 is unused. @see RFC 5280 §5.3.1 */
export const revocationReasons: readonly (string | undefined)[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
]

/** Names a reason: a number without a name must not hide that the certificate is revoked. */
export function formatRevocationReason(number: bigint): string {
  return revocationReasons[Number(number)] ?? `reason${number}`
}
