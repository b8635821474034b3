// A CA of one key, its CRL of so many entries, and two certificates of its: the last that the CRL lists, and one that it
// does not. openssl makes the certificates; the list is written here, entry by entry, as public CAs write theirs: serial
// numbers of 16 random octets, a UTCTime, and for every second one a reason.

import { createPrivateKey, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from '../kit/child.mjs'

/**
 * Make everything in a directory: `ca.pem`, `listed.pem`, `other.pem`, `list.crl` (DER).
 *
 * @returns {Promise<{ bytes: number }>}
 */
export async function makeMaterial(directory, dist, count) {
  mkdirSync(directory, { recursive: true })
  const file = (name) => path.join(directory, name)
  const of = (relative) => import(pathToFileURL(path.join(dist, relative)).href)
  await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file('ca.key')])
  await run('openssl', [
    ...['req', '-x509', '-new', '-key', file('ca.key'), '-subj', '/CN=Bench CA', '-days', '3', '-out', file('ca.pem')],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  for (const name of ['listed', 'other']) {
    const serial = `0x5a${randomBytes(15).toString('hex')}`
    await run('openssl', [
      ...['req', '-x509', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', file(`${name}.key`), '-subj', `/CN=${name}`, '-days', '2', '-set_serial', serial],
      ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-out', file(`${name}.pem`)],
    ])
  }
  const { parsePemCertificates } = await of('pki/ocsp/index.js')
  const certificateOf = (name) => parsePemCertificates(readFileSync(file(name)))[0]
  const der = encodeList({
    writer: await of('pki/der/writer.js'),
    sign: (await of('pki/x509/crypto.js')).sign,
    issuer: certificateOf('ca.pem').subject,
    key: createPrivateKey(readFileSync(file('ca.key'))),
    last: certificateOf('listed.pem').serialNumber,
    count,
  })
  writeFileSync(file('list.crl'), der)
  return { bytes: der.length }
}

function encodeList({ writer, sign, issuer, key, last, count }) {
  const { encodeBitString, encodeExplicit, encodeInteger, encodeOctetString, encodeOid, encodeSequence, encodeValue } =
    writer
  const time = (at) => {
    const text = `${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`
    return encodeValue(0x17, new TextEncoder().encode(text))
  }
  const now = Date.now()
  const dates = Array.from({ length: 90 }, (_, day) => time(new Date(now - (day + 1) * 86_400_000)))
  const reasons = [0, 1, 3, 4, 5, 9].map((reason) =>
    Uint8Array.of(0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, reason),
  )
  const entries = []
  for (let index = 0; index < count - 1; index++) {
    const serial = randomBytes(16)
    serial[0] = (serial[0] & 0x3f) | 0x40
    const reason = index % 2 === 0 ? undefined : reasons[index % reasons.length]
    entries.push(encodeSequence(encodeValue(0x02, serial), dates[index % dates.length], reason))
  }
  entries.push(encodeSequence(encodeInteger(last), dates[0]))
  const algorithm = encodeSequence(encodeOid('1.2.840.10045.4.3.2'))
  const number = encodeSequence(encodeOid('2.5.29.20'), encodeOctetString(encodeInteger(1n)))
  const tbs = encodeSequence(
    encodeInteger(1n),
    algorithm,
    issuer,
    time(new Date(now - 60_000)),
    time(new Date(now + 7 * 86_400_000)),
    encodeValue(0x30, Buffer.concat(entries)),
    encodeExplicit(0, encodeSequence(number)),
  )
  const signature = sign(key, { name: 'ecdsa-with-SHA256', family: 'ecdsa', hashAlgorithm: 'sha256' }, tbs)
  return encodeSequence(tbs, algorithm, encodeBitString(signature))
}
