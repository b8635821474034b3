/** Reading the entries of a decoded CRL without verifying it: for showing it, and for tests. */

import type { CertificateList } from './certificate-list.ts'
import { findEntry, readEntries } from './entries.ts'
import type { RevokedCertificate } from './entry.ts'

/** Finds the first entry with that serial number; walks over the bytes and makes no other objects. */
export function findRevokedCertificate(list: CertificateList, serialNumber: bigint): RevokedCertificate | undefined {
  return findEntry(list.revokedCertificates, serialNumber)
}

/** Reads the entries one by one, as they stand. */
export function readRevokedCertificates(list: CertificateList): Generator<RevokedCertificate> {
  return readEntries(list.revokedCertificates)
}
