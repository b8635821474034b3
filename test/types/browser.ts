// Compiled without Node's types: decoding is for browsers too.
import { decodeOcspResponse, formatName, isStapleError, parsePemCertificates } from 'staplewright/ocsp'

export async function show(file: File): Promise<string> {
  try {
    const { responseStatus } = decodeOcspResponse(new Uint8Array(await file.arrayBuffer()))
    return responseStatus
  } catch (thrown) {
    return isStapleError(thrown) ? thrown.code : 'not an OCSP response'
  }
}

export function subjects(pem: string): string[] {
  return parsePemCertificates(pem).map((certificate) => formatName(certificate.subject))
}
