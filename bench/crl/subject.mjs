// One reader of CRLs in a process of its own, so that its memory is its own: `node --expose-gc subject.mjs WHO DIRECTORY
// DIST`. Says as JSON how long each step took, in milliseconds of wall time, and what was held beyond the DER itself.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [who, directory, dist] = process.argv.slice(2)
const file = (name) => readFileSync(path.join(directory, name))

const readers = {
  async staplewright() {
    const { decodeCertificateList, findRevokedCertificate, verifyCrl } = await load('pki/crl/index.js')
    const { parsePemCertificates } = await load('pki/ocsp/index.js')
    const [issuer] = parsePemCertificates(file('ca.pem'))
    const [listed] = parsePemCertificates(file('listed.pem'))
    const [other] = parsePemCertificates(file('other.pem'))
    const at = new Date()
    return {
      serials: [listed.serialNumber, other.serialNumber],
      decode: (der) => decodeCertificateList(der),
      verify(list) {
        if (verifyCrl(list, { certificate: listed, issuer, at }).certStatus !== 'revoked')
          throw new Error('not revoked')
      },
      find: (list, serial) => findRevokedCertificate(list, serial) !== undefined,
    }
  },
  async peculiar() {
    await import('reflect-metadata')
    const { X509Certificate, X509Crl } = await import('@peculiar/x509')
    const serialOf = (name) => new X509Certificate(file(name).toString()).serialNumber
    const issuer = new X509Certificate(file('ca.pem').toString())
    return {
      serials: [serialOf('listed.pem'), serialOf('other.pem')],
      decode: (der) => new X509Crl(der),
      async verify(list) {
        if (!(await list.verify({ publicKey: issuer }))) throw new Error('does not verify')
      },
      find: (list, serial) => list.findRevoked(serial) !== null,
    }
  },
}

/** The hash and the signature alone: what no reader can do without. */
async function bare() {
  const { verify, createPublicKey } = await import('node:crypto')
  const { decodeCertificateList } = await load('pki/crl/index.js')
  const { tbsCertList, signature } = decodeCertificateList(new Uint8Array(file('list.crl')))
  const key = createPublicKey(file('ca.pem'))
  return await time(() => verify('sha256', tbsCertList, key, signature))
}

function load(relative) {
  return import(pathToFileURL(path.join(dist, relative)).href)
}

async function time(call) {
  const started = performance.now()
  await call()
  return performance.now() - started
}

const held = () => {
  global.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const peak = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024

if (who === 'bare') {
  console.log(JSON.stringify({ verify: await bare() }))
} else {
  const reader = await readers[who]()
  const der = new Uint8Array(file('list.crl'))
  const before = { held: held(), peak: peak() }
  let list
  const result = {}
  result.decode = await time(() => {
    list = reader.decode(der)
  })
  result.verify = await time(() => reader.verify(list))
  const [listed, other] = reader.serials
  let outcomes
  result.hit = await time(() => {
    outcomes = [reader.find(list, listed)]
  })
  result.miss = await time(() => outcomes.push(reader.find(list, other)))
  if (outcomes.join() !== 'true,false') throw new Error(`${who}: found ${outcomes.join()}`)
  // What the list holds, not what reading it left behind: the collector runs first.
  result.held = held() - before.held
  result.peak = peak() - before.peak
  console.log(JSON.stringify(result))
}
