/** The signed answers of a scripted responder, right and wrong, made with the project's own signer. */
import type { Clock } from '../../src/keep/clock.ts'
import type { CertID } from '../../src/pki/ocsp/cert-id.ts'
import { type OcspSigner, type SingleStatus, signOcspResponse } from '../../src/pki/ocsp/sign.ts'
import { type Authority, createAuthority } from './authority.ts'
import type { BehaviourOptions } from './behaviour.ts'

export interface AnswerMaker {
  readonly authority: Authority
  readonly clock: Clock
  readonly signer: OcspSigner
  readonly validityMs: number
  readonly thisUpdateAgeMs: number
  readonly responderID?: 'byKey' | 'byName'
  readonly certificates?: readonly Uint8Array[]
}

/** Makes the answer that the behaviour calls for; whatever it does not name is as in a good one. */
export async function makeAnswer(maker: AnswerMaker, behaviour: BehaviourOptions, certID: CertID): Promise<Uint8Array> {
  const { authority, clock } = maker
  const now = clock.now()
  const validityMs = behaviour.validityMs ?? maker.validityMs
  let begin = now.getTime() - (behaviour.thisUpdateAgeMs ?? maker.thisUpdateAgeMs)
  if (behaviour.kind === 'expired') begin = now.getTime() - 2 * validityMs
  if (behaviour.kind === 'future') begin = now.getTime() + 3_600_000
  const window = {
    thisUpdate: new Date(begin),
    ...(behaviour.kind === 'noNextUpdate' ? {} : { nextUpdate: new Date(begin + validityMs) }),
  }
  const good: SingleStatus = { certID, certStatus: 'good', ...window }
  const revoked: SingleStatus = {
    certID,
    certStatus: 'revoked',
    revocationTime: behaviour.revocationTime ?? new Date(now.getTime() - 60_000),
    ...(behaviour.reason === undefined ? {} : { revocationReason: behaviour.reason }),
    ...window,
  }
  const sign = (responses: readonly SingleStatus[], signer: OcspSigner = maker.signer) =>
    signOcspResponse({
      signer,
      responses,
      producedAt: new Date(Math.min(begin, now.getTime())),
      ...(maker.responderID ? { responderID: maker.responderID } : {}),
      ...(signer !== maker.signer ? { certificates: [signer.certificate.der] } : {}),
      ...(signer === maker.signer && maker.certificates ? { certificates: maker.certificates } : {}),
    })

  switch (behaviour.kind) {
    case 'revoked':
      return sign([revoked])
    case 'unknown':
      return sign([{ certID, certStatus: 'unknown', ...window }])
    case 'contradictory':
      return sign([good, revoked])
    case 'wrongSerial':
      return sign([{ ...good, certID: { ...certID, serialNumber: certID.serialNumber + 1n } }])
    case 'wrongIssuer':
      return sign([
        { ...good, certID: { ...certID, issuerKeyHash: certID.issuerKeyHash.map((octet) => octet ^ 0xff) } },
      ])
    case 'badSignature': {
      // the right name over another key's signature
      const { privateKey } = await spare(authority, 'stranger')
      return signOcspResponse({
        signer: { certificate: maker.signer.certificate, privateKey },
        responses: [good],
        producedAt: now,
      })
    }
    case 'noOcspSigning':
      return sign([good], await spare(authority, 'noOcspSigning'))
    case 'expiredSigner':
      return sign([good], await spare(authority, 'expiredSigner'))
    case 'otherAuthority':
      return sign([good], await spare(authority, 'otherAuthority'))
    default:
      return sign([good])
  }
}

type Spare = 'stranger' | 'noOcspSigning' | 'expiredSigner' | 'otherAuthority'

const spares = new WeakMap<Authority, Map<Spare, Promise<OcspSigner>>>()

/** Signers that must be refused, made when first wanted. */
function spare(authority: Authority, kind: Spare): Promise<OcspSigner> {
  const made = spares.get(authority) ?? new Map<Spare, Promise<OcspSigner>>()
  spares.set(authority, made)
  const known = made.get(kind)
  if (known) return known
  const signer = makeSpare(authority, kind)
  made.set(kind, signer)
  return signer
}

async function makeSpare(authority: Authority, kind: Spare): Promise<OcspSigner> {
  switch (kind) {
    case 'stranger':
      return authority.delegate()
    case 'noOcspSigning':
      return authority.delegate({ ocspSigning: false })
    case 'expiredSigner':
      return authority.delegate({ expired: true })
    case 'otherAuthority': {
      const other = await createAuthority({ keyType: authority.keyType, name: 'Somebody Else' })
      return other.delegate()
    }
  }
}
