/**
 * What is asked of clients: `verify`, with the CAs of `ca_file` and the keys of `pinned_certs`.
 */
import { isGiven, look } from './block.ts'
import * as keys from './keys.ts'
import { readOcspPeer } from './peers.ts'
import type { PemFiles } from './pem-file.ts'
import { formatPem } from './pem-text.ts'
import type { Report } from './report.ts'
import type { ClientAuthSettings } from './settings.ts'
import type { Block, Located } from './type.ts'

/** Reads it of one `tls` block; undefined when clients are asked for nothing, or that was refused. */
export async function readClientAuth(
  tls: Located<Block>,
  path: string,
  files: PemFiles,
  report: Report,
): Promise<ClientAuthSettings | undefined> {
  const verify = look(tls.value, keys.verify)
  const pinned = look(tls.value, keys.pinnedCerts)
  // What is wrong with `verify` itself is said already.
  const isVerifying = verify?.value ?? isGiven(tls.value, keys.verify)
  const ocspPeer = readOcspPeer(tls, path, isVerifying, report)
  if (!verify?.value) {
    if (pinned && pinned.value.length > 0 && !(isGiven(tls.value, keys.verify) && verify === undefined)) {
      report.refuse(pinned.at, `${path}.pinned_certs`, {
        summary: 'lets nobody in: clients are not asked for a certificate',
        found: 'pinned_certs without verify',
        expected: '`verify: true` and ca_file beside it',
        hint: 'add `verify: true`, or leave it out',
      })
    }
    return undefined
  }
  const caFile = look(tls.value, keys.caFile)
  if (caFile === undefined) {
    if (isGiven(tls.value, keys.caFile)) return undefined
    return report.refuse(verify.at, `${path}.verify`, {
      summary: 'names no CAs: any certificate that the system trusts would do',
      found: 'verify without ca_file',
      expected: "ca_file beside it, with the CAs of your clients' certificates",
      hint: 'add `ca_file: "clients-ca.pem"`',
    })
  }
  const authorities = await files.readCertificates(caFile, `${path}.ca_file`)
  if (authorities === undefined) return undefined
  const pinnedKeys = [...new Set(pinned?.value.map((each) => each.value))]
  return {
    caPem: authorities.certificates.map((each) => formatPem(each.der)).join(''),
    ...(pinnedKeys.length > 0 && { pinnedKeys }),
    ...(ocspPeer && { ocspPeer }),
  }
}
