// Decode and verify of one response, beside the signature checks that the case cannot do without: one for a response
// that the issuer signed itself, two for a delegated one. In one process, the same bytes, the keys imported in both.

import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { run as runProgram } from '../kit/child.mjs'
import { describeMachine, repository } from '../kit/machine.mjs'
import { pairedRatio, summarise } from '../kit/statistics.mjs'
import { formatTable } from '../kit/table.mjs'

const defaults = { rounds: 15, seconds: 0.1 }

/** The most that all of it may cost, over the signature checks alone (design, "What it must reach"). */
const limit = 1.5

const keyTypes = [
  { name: 'RSA-2048', genpkey: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], hash: 'sha256' },
  { name: 'P-256', genpkey: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], hash: 'sha256' },
  { name: 'P-384', genpkey: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], hash: 'sha384' },
  { name: 'Ed25519', genpkey: ['-algorithm', 'ED25519'], hash: undefined },
]

/**
 * Measure each key type, direct and delegated.
 *
 * @returns {Promise<{ markdown: string, failures: string[] }>}
 */
export async function run(values) {
  const { rounds, seconds } = { ...defaults, ...values }
  const dist = path.resolve(values.dist ?? path.join(repository, 'dist'))
  const ocsp = await import(pathToFileURL(path.join(dist, 'pki/ocsp/index.js')).href)
  const { signOcspResponse } = await import(pathToFileURL(path.join(dist, 'pki/ocsp/sign.js')).href)
  const directory = mkdtempSync(path.join(os.tmpdir(), 'staplewright-bench-'))
  try {
    const rows = []
    for (const keyType of keyTypes) {
      const { issuer, leaf, delegate } = await issueAll(directory, keyType, ocsp)
      for (const signer of [issuer, delegate]) {
        const der = answer({ ocsp, signOcspResponse, issuer, leaf, signer })
        rows.push(measure({ ocsp, der, issuer, leaf, delegate: signer === delegate ? delegate : undefined, keyType }))
      }
    }
    for (const row of rows) row.warmUp()
    for (let round = 0; round < rounds; round++) {
      for (const row of round % 2 === 0 ? rows : [...rows].reverse()) row.sample(seconds)
    }
    return report(rows, `npm run bench -- verify --rounds ${rounds} --seconds ${seconds}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** An issuer of one key type, a leaf and a delegate of its, by the real openssl. */
async function issueAll(directory, { name, genpkey, hash }, ocsp) {
  const file = (what) => path.join(directory, `${name}-${what}`)
  const key = async (who) => runProgram('openssl', ['genpkey', ...genpkey, '-out', file(`${who}.key`)])
  await key('issuer')
  await runProgram('openssl', [
    ...['req', '-x509', '-new', '-key', file('issuer.key'), '-subj', `/CN=Bench ${name}`, '-days', '3'],
    ...['-out', file('issuer.pem'), '-addext', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'],
  ])
  const issue = async (who, serial, extensions) => {
    await key(who)
    writeFileSync(file(`${who}.cnf`), extensions)
    await runProgram('openssl', [
      'req',
      '-new',
      '-key',
      file(`${who}.key`),
      '-subj',
      `/CN=${who}`,
      '-out',
      file(`${who}.csr`),
    ])
    await runProgram('openssl', [
      ...['x509', '-req', '-in', file(`${who}.csr`), '-CA', file('issuer.pem'), '-CAkey', file('issuer.key')],
      ...['-set_serial', serial, '-days', '2', '-extfile', file(`${who}.cnf`), '-out', file(`${who}.pem`)],
      ...(hash ? [`-${hash}`] : []),
    ])
  }
  await issue('leaf', '0x4d2f00a1b2c3d4e5f60718293a4b5c6d', 'extendedKeyUsage=serverAuth\n')
  await issue('delegate', '2', 'extendedKeyUsage=OCSPSigning\nkeyUsage=critical,digitalSignature\nnoCheck=ignored\n')
  const load = (who) => ({
    certificate: ocsp.parsePemCertificates(readFileSync(file(`${who}.pem`)))[0],
    privateKey: createPrivateKey(readFileSync(file(`${who}.key`))),
    publicKey: createPublicKey(readFileSync(file(`${who}.pem`))),
  })
  return { issuer: load('issuer'), leaf: load('leaf'), delegate: load('delegate') }
}

/** A response about the leaf, good for a day. */
function answer({ ocsp, signOcspResponse, issuer, leaf, signer }) {
  const thisUpdate = new Date(Math.floor(Date.now() / 1000) * 1000)
  const certID = ocsp.createCertID(leaf.certificate, issuer.certificate, 'sha1')
  return signOcspResponse({
    signer,
    producedAt: thisUpdate,
    responses: [{ certID, certStatus: 'good', thisUpdate, nextUpdate: new Date(thisUpdate.getTime() + 86_400_000) }],
    certificates: signer === issuer ? [] : [signer.certificate.der],
  })
}

function measure({ ocsp, der, issuer, leaf, delegate, keyType }) {
  const at = new Date()
  const options = { certificate: leaf.certificate, issuer: issuer.certificate, at }
  const { tbsResponseData, signature } = ocsp.decodeOcspResponse(der).basicResponse
  const checks = [[tbsResponseData, (delegate ?? issuer).publicKey, signature]]
  if (delegate) {
    const { tbsCertificate, signature: issued } = delegate.certificate
    checks.push([tbsCertificate, issuer.publicKey, issued])
  }
  const bare = () => {
    for (const [bytes, key, proof] of checks) {
      if (!verify(keyType.hash, bytes, key, proof)) throw new Error(`${keyType.name}: the signature does not verify`)
    }
  }
  const whole = () => {
    if (ocsp.verifyOcspResponse(der, options).certStatus !== 'good') throw new Error(`${keyType.name}: not good`)
  }
  const row = {
    name: `${keyType.name}, ${delegate ? 'delegated' : 'direct'}`,
    bytes: der.length,
    checks: checks.length,
    bare: [],
    whole: [],
    warmUp() {
      time(bare, 0.05)
      time(whole, 0.05)
    },
    sample(seconds) {
      row.bare.push(time(bare, seconds))
      row.whole.push(time(whole, seconds))
    },
  }
  return row
}

/** Microseconds of CPU per call, garbage collection included: what other programs take meanwhile does not count. */
function time(call, seconds) {
  const end = performance.now() + seconds * 1000
  const started = process.cpuUsage()
  let count = 0
  do {
    for (let index = 0; index < 20; index++) call()
    count += 20
  } while (performance.now() < end)
  const { user, system } = process.cpuUsage(started)
  return (user + system) / count
}

function report(rows, command) {
  const figures = rows.map((row) => ({ row, ratio: pairedRatio(row.whole, row.bare) }))
  const markdown = [
    '## Decode and verify of one response',
    '',
    `\`${command}\` on ${new Date().toISOString().slice(0, 10)}; ${describeMachine()}, Node ${process.versions.node}.`,
    '',
    formatTable(
      [
        'response',
        'bytes:',
        'signature checks:',
        'checks alone, CPU us:',
        'decode + verify, CPU us:',
        'ratio:',
        'min..max:',
        'verdict',
      ],
      figures.map(({ row, ratio }) => [
        row.name,
        `${row.bytes}`,
        `${row.checks}`,
        summarise(row.bare).median.toFixed(1),
        summarise(row.whole).median.toFixed(1),
        ratio.median.toFixed(3),
        `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`,
        ratio.median <= limit ? 'PASS' : 'FAIL',
      ]),
    ),
    '',
    `The hard limit is ${limit}: ratios are taken within each of the ${rows[0].bare.length} rounds, their median is judged.`,
  ].join('\n')
  const failures = figures
    .filter(({ ratio }) => ratio.median > limit)
    .map(({ row, ratio }) => `${row.name}: ${ratio.median.toFixed(3)}, at most ${limit} is allowed`)
  return { markdown, failures }
}
