// The chain and the staple that every server of the bench is given, made by the real openssl: root, intermediate
// and leaf on P-256, the leaf Must-Staple; the staple signed by the intermediate itself, without an embedded
// certificate, as public CAs do. A responder on loopback answers that same staple to whoever asks, so servers
// that fetch and servers that read a file serve the same bytes.

import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { run } from '../kit/child.mjs'

/**
 * Make the chain and the staple in `directory`, and start the responder.
 *
 * @returns paths of everything, the responder's URL, and `close()`
 */
export async function createMaterial(directory) {
  const inDirectory = (name) => path.join(directory, name)
  let staple
  const responder = http.createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/ocsp-response', 'content-length': staple.length })
      response.end(staple)
    })
  })
  responder.listen(0, '127.0.0.1')
  await once(responder, 'listening')
  const responderURL = `http://127.0.0.1:${responder.address().port}/`

  writeFileSync(inDirectory('extensions.cnf'), extensions(responderURL))
  await createRoot(directory)
  await issue(directory, {
    name: 'intermediate',
    subject: '/O=Staplewright bench/CN=Bench Intermediate',
    by: 'root',
    days: 30,
  })
  await issue(directory, { name: 'leaf', subject: '/CN=localhost', by: 'intermediate', days: 7 })
  const [leaf, intermediate, root, key] = ['leaf.pem', 'intermediate.pem', 'root.pem', 'leaf.key'].map((name) =>
    readFileSync(inDirectory(name), 'utf8'),
  )
  writeFileSync(inDirectory('chain.pem'), leaf + intermediate)
  writeFileSync(inDirectory('ca.pem'), intermediate + root)
  await createStaple(directory)
  staple = readFileSync(inDirectory('staple.der'))

  // HAProxy reads chain and key from one file and the staple from beside it: one folder with, one without.
  for (const folder of ['with-staple', 'without-staple']) {
    mkdirSync(inDirectory(folder))
    writeFileSync(inDirectory(`${folder}/server.pem`), leaf + intermediate + key)
  }
  writeFileSync(inDirectory('with-staple/server.pem.ocsp'), staple)

  return {
    directory,
    chainFile: inDirectory('chain.pem'),
    keyFile: inDirectory('leaf.key'),
    caFile: inDirectory('ca.pem'),
    stapleFile: inDirectory('staple.der'),
    stapleBytes: staple.length,
    responderURL,
    close: () => responder.close(),
  }
}

function extensions(responderURL) {
  return `[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
authorityInfoAccess = OCSP;URI:${responderURL}
tlsfeature = status_request
`
}

async function createRoot(cwd) {
  await createKey(cwd, 'root')
  const subject = '/O=Staplewright bench/CN=Bench Root'
  await openssl(cwd, ['req', '-new', '-key', 'root.key', '-subj', subject, '-out', 'root.csr'])
  await openssl(cwd, [
    ...['x509', '-req', '-in', 'root.csr', '-signkey', 'root.key', '-days', '60', '-sha256'],
    ...['-extfile', 'extensions.cnf', '-extensions', 'root', '-out', 'root.pem'],
  ])
}

async function issue(cwd, { name, subject, by, days }) {
  await createKey(cwd, name)
  await openssl(cwd, ['req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`])
  await openssl(cwd, [
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'],
    ...['-days', `${days}`, '-sha256', '-extfile', 'extensions.cnf', '-extensions', name, '-out', `${name}.pem`],
  ])
}

async function createKey(cwd, name) {
  await openssl(cwd, ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`])
}

async function createStaple(cwd) {
  const serial = (await openssl(cwd, ['x509', '-in', 'leaf.pem', '-noout', '-serial'])).trim().split('=')[1]
  writeFileSync(path.join(cwd, 'index.txt'), `V\t391231235959Z\t\t${serial}\tunknown\t/CN=localhost\n`)
  writeFileSync(path.join(cwd, 'index.txt.attr'), 'unique_subject = no\n')
  await openssl(cwd, [
    ...['ocsp', '-issuer', 'intermediate.pem', '-cert', 'leaf.pem', '-no_nonce', '-reqout', 'request.der'],
  ])
  await openssl(cwd, [
    ...['ocsp', '-index', 'index.txt', '-CA', 'intermediate.pem', '-rsigner', 'intermediate.pem'],
    ...['-rkey', 'intermediate.key', '-reqin', 'request.der', '-respout', 'staple.der'],
    ...['-ndays', '4', '-resp_no_certs'],
  ])
  // The staple must be one that a strict client accepts, else the bench proves nothing.
  const verdict = await openssl(cwd, [
    ...['ocsp', '-respin', 'staple.der', '-issuer', 'intermediate.pem', '-cert', 'leaf.pem', '-no_nonce'],
    ...['-CAfile', 'root.pem', '-verify_other', 'intermediate.pem'],
  ])
  if (!verdict.includes('leaf.pem: good')) throw new Error(`openssl does not accept the staple it made: ${verdict}`)
}

function openssl(cwd, args) {
  return run('openssl', args, { cwd })
}
