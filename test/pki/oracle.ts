/**
 * Other people's decoders, as oracles: what they and we read from the same bytes, in one plain form.
 *
 * They are lenient where we are strict (facts of the libraries), so they are asked about responses that are right.
 */
import { execFile } from 'node:child_process'
import { BasicOCSPResponse, OCSPResponse } from '@peculiar/asn1-ocsp'
import { AsnConvert } from '@peculiar/asn1-schema'
import { isKnownHash } from '../../src/pki/ocsp/cert-id.ts'
import { decodeOcspResponse } from '../../src/pki/ocsp/response.ts'
import { hashOids } from '../../src/pki/x509/algorithm.ts'

/** A response in plain text values, whoever decoded it. */
export interface PlainResponse {
  readonly responseStatus: number
  readonly responderID: string
  readonly producedAt: string
  readonly signatureAlgorithm: string
  readonly signature: string
  readonly nonce: string | undefined
  readonly certificates: readonly string[]
  readonly responses: readonly PlainSingleResponse[]
}

export interface PlainSingleResponse {
  readonly hash: string
  readonly issuerNameHash: string
  readonly issuerKeyHash: string
  readonly serialNumber: bigint
  readonly certStatus: string
  readonly revocationTime: string | undefined
  readonly revocationReason: number | undefined
  readonly thisUpdate: string
  readonly nextUpdate: string | undefined
}

/** What we read. */
export function readByUs(der: Uint8Array): PlainResponse {
  const { responseStatus, basicResponse } = decodeOcspResponse(der)
  if (basicResponse === undefined) throw new Error(`no basicResponse, but ${responseStatus}`)
  const { responderID } = basicResponse
  return {
    responseStatus: 0,
    responderID: responderID.byKey
      ? `byKey ${hex(responderID.byKey)}`
      : `byName ${hex(responderID.byName as Uint8Array)}`,
    producedAt: basicResponse.producedAt.toISOString(),
    signatureAlgorithm: basicResponse.signatureAlgorithm.oid,
    signature: hex(basicResponse.signature),
    nonce: basicResponse.nonce && hex(basicResponse.nonce),
    certificates: basicResponse.certificates.map((certificate) => hex(certificate.der)),
    responses: basicResponse.responses.map((single) => {
      const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = single.certID
      return {
        hash: isKnownHash(hashAlgorithm) ? hashOids[hashAlgorithm] : hashAlgorithm,
        issuerNameHash: hex(issuerNameHash),
        issuerKeyHash: hex(issuerKeyHash),
        serialNumber,
        certStatus: single.certStatus,
        revocationTime: single.revocationTime?.toISOString(),
        revocationReason: single.revocationReason === undefined ? undefined : reasons.indexOf(single.revocationReason),
        thisUpdate: single.thisUpdate.toISOString(),
        nextUpdate: single.nextUpdate?.toISOString(),
      }
    }),
  }
}

/** What `@peculiar/asn1-ocsp` reads. */
export function readByPeculiar(der: Uint8Array): PlainResponse {
  const outer = AsnConvert.parse(der, OCSPResponse)
  const content = outer.responseBytes?.response.buffer as ArrayBuffer
  const basic = AsnConvert.parse(content, BasicOCSPResponse)
  const { responderID, producedAt, responses, responseExtensions } = basic.tbsResponseData
  const nonce = responseExtensions?.find(({ extnID }) => extnID === '1.3.6.1.5.5.7.48.1.2')
  return {
    responseStatus: Number(outer.responseStatus),
    responderID: responderID.byKey
      ? `byKey ${hex(responderID.byKey.buffer)}`
      : `byName ${hex(AsnConvert.serialize(responderID.byName))}`,
    producedAt: producedAt.toISOString(),
    signatureAlgorithm: basic.signatureAlgorithm.algorithm,
    signature: hex(basic.signature),
    // The extension's OCTET STRING holds another: skip its tag and length, short as nonces are.
    nonce: nonce && hex(nonce.extnValue.buffer.slice(nonce.extnValue.buffer.byteLength > 129 ? 3 : 2)),
    certificates: (basic.certs ?? []).map((certificate) => hex(AsnConvert.serialize(certificate))),
    responses: responses.map((single) => {
      const { revoked, unknown } = single.certStatus
      return {
        hash: single.certID.hashAlgorithm.algorithm,
        issuerNameHash: hex(single.certID.issuerNameHash.buffer),
        issuerKeyHash: hex(single.certID.issuerKeyHash.buffer),
        serialNumber: signed(single.certID.serialNumber),
        certStatus: revoked ? 'revoked' : unknown === undefined ? 'good' : 'unknown',
        revocationTime: revoked?.revocationTime.toISOString(),
        revocationReason: revoked?.revocationReason === undefined ? undefined : Number(revoked.revocationReason.reason),
        thisUpdate: single.thisUpdate.toISOString(),
        nextUpdate: single.nextUpdate?.toISOString(),
      }
    }),
  }
}

/** Runs a program with bytes on its stdin; resolves with what it prints, whether it liked them or not. */
export function ask(command: string, args: readonly string[], input?: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve(stdout + stderr)
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

const reasons: readonly string[] = [
  ...['unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation'],
  ...['certificateHold', 'reason7', 'removeFromCRL', 'privilegeWithdrawn', 'aACompromise'],
]

function hex(bytes: Uint8Array | ArrayBuffer): string {
  return Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('hex')
}

function signed(buffer: ArrayBuffer): bigint {
  const bytes = new Uint8Array(buffer)
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex(bytes)}`))
}
