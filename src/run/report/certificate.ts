/** A certificate that was shown, and the staples that came with it, as plain data. */
import { X509Certificate } from 'node:crypto'
import type { CertificateEvidence, StapleEvidence } from '../../check/diagnose/evidence.ts'
import { printableLines } from '../../pki/der/text.ts'
import { decodeOcspResponse } from '../../pki/ocsp/response.ts'
import type { SingleResponse } from '../../pki/ocsp/single-response.ts'
import { type Certificate, isMustStaple } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'
import { base64, plainError } from './plain.ts'
import type { CertificateReport, StapleReport } from './shape.ts'

/** Puts down one certificate; what the CA says of it now is the caller's to add. */
export function describeCertificate(evidence: CertificateEvidence): CertificateReport {
  const { certificate, certificateKey, connections, issuerSource, trust, staples } = evidence
  const { extensions } = certificate
  const names = [...extensions.dnsNames, ...extensions.ipAddresses].map(printableLines)
  const chain = connections.find(({ handshake }) => handshake)?.handshake?.chain ?? [certificate.der]
  const distrust = trust.reason ?? trust.code
  return {
    certificateKey,
    subject: nameOf(certificate.subject),
    names,
    serialNumber: certificate.serialNumber.toString(16),
    issuer: nameOf(certificate.issuer),
    ...(issuerSource && { issuerSource }),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    key: describeKey(certificate),
    mustStaple: isMustStaple(certificate),
    responderURLs: extensions.responderURLs.map(printableLines),
    isTrusted: trust.isTrusted,
    ...(!trust.isTrusted && distrust !== undefined && { distrust: printableLines(distrust) }),
    connections: connections.length,
    stapled: connections.filter(({ handshake }) => handshake && handshake.staple !== null).length,
    ...(evidence.unasked && { unasked: evidence.unasked }),
    staples: staples.map((each) => describeStaple(each, certificate)),
    chain: chain.map(base64),
  }
}

/** What people call it: its first name, else its subject. */
export function titleOf({ names, subject }: Pick<CertificateReport, 'names' | 'subject'>): string {
  return names[0] ?? (subject || 'a certificate without a name')
}

/** The common name of a subject or issuer, where it has one. */
export function shortNameOf(name: string): string {
  return /(?:^|[,+])CN=((?:\\.|[^,+\\])+)/.exec(name)?.[1] ?? name
}

function describeStaple({ der, connections, diagnosis }: StapleEvidence, certificate: Certificate): StapleReport {
  const verified = diagnosis?.verified
  const single = verified?.singleResponse ?? singleAbout(certificate, der)
  const { certStatus, thisUpdate, nextUpdate, revocationTime, revocationReason } = single ?? {}
  const refused = diagnosis?.verdicts.filter(({ outcome }) => outcome === 'refused') ?? []
  const signer = verified?.signer
  return {
    connections: connections.length,
    isAccepted: verified !== undefined,
    ...(certStatus && { certStatus }),
    ...(thisUpdate && { thisUpdate }),
    ...(nextUpdate && { nextUpdate }),
    ...(verified && { effectiveNextUpdate: verified.effectiveNextUpdate, producedAt: verified.producedAt }),
    ...(verified && { usableUntil: verified.usableUntil }),
    ...(revocationTime && { revocationTime }),
    ...(revocationReason !== undefined && { revocationReason }),
    ...(signer && {
      signer: {
        kind: signer.kind,
        name: printableLines(signer.name),
        ...(signer.certificate && { notAfter: signer.certificate.notAfter }),
      },
    }),
    ...(verified && { hashAlgorithms: verified.hashAlgorithms }),
    refusals: refused.flatMap(({ rule, clause, error }) => (error ? [{ rule, clause, error: plainError(error) }] : [])),
    warnings: diagnosis?.warnings.map(({ code, message }) => ({ code, message: printableLines(message) })) ?? [],
    bytes: der.length,
    der: base64(der),
  }
}

/** What a refused response says all the same: the entry of this serial number, or the only one. */
function singleAbout({ serialNumber }: Certificate, der: Uint8Array): SingleResponse | undefined {
  try {
    const responses = decodeOcspResponse(der).basicResponse?.responses ?? []
    return responses.find(({ certID }) => certID.serialNumber === serialNumber)
  } catch {
    return undefined
  }
}

function nameOf(name: Uint8Array): string {
  try {
    return printableLines(formatName(name))
  } catch {
    return 'a name that cannot be read'
  }
}

function describeKey({ der }: Certificate): string {
  try {
    const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = new X509Certificate(der).publicKey
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {}
    const size = modulusLength ?? curves[namedCurve ?? ''] ?? namedCurve
    return `${type === 'ec' ? 'ecdsa' : type}${size === undefined ? '' : ` ${size}`}`
  } catch {
    return 'of a kind that OpenSSL cannot read'
  }
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }
