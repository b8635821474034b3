/** What is found out about a certificate before it is asked about: who issued it, and whether anybody can be asked. */
import { StapleError } from '../../errors.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { explainSelfSigned, type Issuers } from './issuers.ts'
import { explainUnsupported } from './kept-certificate.ts'
import type { Occurrence } from './occurrence.ts'
import { type Slot, wishesOf } from './slot.ts'

/**
 * Looks a certificate over; leaves its issuer in the slot, if it is at hand.
 *
 * @param recalled - resolves when the issuers that were noted in the store are known
 */
export async function prepare(slot: Slot, issuers: Issuers, recalled: Promise<void>): Promise<Occurrence> {
  const unsupportedReason = explainUnsupported(slot.leaf, wishesOf(slot))
  if (slot.issuer !== undefined || slot.leaf.noRevAvail) return prepared(slot, unsupportedReason)
  const leaf = decodeCertificate(slot.leaf.der)
  slot.issuer = issuers.find(leaf, slot.candidates)
  if (slot.issuer === undefined) {
    await recalled
    slot.issuer = issuers.find(leaf, [])
  }
  if (slot.issuer !== undefined) {
    slot.candidates = []
    return prepared(slot, unsupportedReason)
  }
  const why = unsupportedReason ?? explainSelfSigned(leaf)
  if (why !== undefined || leaf.extensions.caIssuersURLs.length > 0) return prepared(slot, why)
  return prepared(slot, 'its issuer is not among the certificates at hand, and it names no caIssuers address', leaf)
}

function prepared(slot: Slot, unsupportedReason: string | undefined, orphan?: Certificate): Occurrence {
  return {
    type: 'prepared',
    isRequired: wishesOf(slot).isRequired,
    unsupportedReason,
    hasIssuer: slot.issuer !== undefined,
    issuerError: orphan && noIssuer(slot),
  }
}

function noIssuer({ leaf }: Slot): StapleError {
  const message = `no certificate at hand issued ${leaf.subject}, and it names no caIssuers address`
  return new StapleError('ERR_FETCH_NO_ISSUER', message, { causes: [] })
}
