// A CA, one certificate for each responder that is asked, and what each responder says, all by openssl and our own signer.

import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { run as runProgram } from '../kit/child.mjs'

/**
 * @param {{ directory: string, ocsp: object, signOcspResponse: Function, urls: string[] }} wanted
 * @returns {Promise<{ ca: Buffer, leaves: { certificateFile: string, keyFile: string, response: Uint8Array }[] }>}
 */
export async function createMaterial({ directory, ocsp, signOcspResponse, urls }) {
  const file = (name) => path.join(directory, name)
  const createKey = (name) =>
    runProgram('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file(name)])
  await createKey('issuer.key')
  await runProgram('openssl', [
    ...['req', '-x509', '-new', '-key', file('issuer.key'), '-subj', '/CN=Bench', '-days', '3', '-sha256'],
    ...['-out', file('issuer.pem'), '-addext', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'],
  ])
  const issuer = {
    certificate: ocsp.parsePemCertificates(readFileSync(file('issuer.pem')))[0],
    privateKey: createPrivateKey(readFileSync(file('issuer.key'))),
  }
  const leaves = []
  for (const [index, url] of urls.entries()) {
    const name = `leaf-${index}`
    await createKey(`${name}.key`)
    await runProgram('openssl', [
      ...['req', '-x509', '-new', '-key', file(`${name}.key`), '-subj', '/CN=localhost', '-days', '2', '-sha256'],
      ...[
        '-CA',
        file('issuer.pem'),
        '-CAkey',
        file('issuer.key'),
        '-set_serial',
        `0x4d2f00a1b2c3d4e5f60718293a4b5c${40 + index}`,
      ],
      ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'subjectAltName=DNS:localhost'],
      ...['-addext', `authorityInfoAccess=OCSP;URI:${url}`, '-out', file(`${name}.pem`)],
    ])
    const [certificate] = ocsp.parsePemCertificates(readFileSync(file(`${name}.pem`)))
    leaves.push({
      certificateFile: file(`${name}.pem`),
      keyFile: file(`${name}.key`),
      response: answer({ ocsp, signOcspResponse, issuer, certificate }),
    })
  }
  return { ca: readFileSync(file('issuer.pem')), leaves }
}

/** Good for a day, for who asks with SHA-1 and for who asks with SHA-256. */
function answer({ ocsp, signOcspResponse, issuer, certificate }) {
  const thisUpdate = new Date(Math.floor(Date.now() / 1000) * 1000)
  const window = { thisUpdate, nextUpdate: new Date(thisUpdate.getTime() + 86_400_000) }
  return signOcspResponse({
    signer: issuer,
    producedAt: thisUpdate,
    responses: ['sha1', 'sha256'].map((hash) => ({
      certID: ocsp.createCertID(certificate, issuer.certificate, hash),
      certStatus: 'good',
      ...window,
    })),
  })
}

/** Writes what servers/peers.mjs reads. @returns the file's path */
export function writePlan(directory, plan) {
  const file = path.join(directory, 'plan.json')
  writeFileSync(file, JSON.stringify(plan))
  return file
}
