/**
 * A CA of two intermediates under one root, each with a delegated responder of its own, and users under either: what
 * nats-server's tests of `ocsp_peer` are about. Root and intermediates name the responders that answer for them.
 */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OcspSigner } from '../../src/pki/ocsp/sign.ts'
import { decodeCertificate } from '../../src/pki/x509/certificate.ts'
import { createAuthority } from './authority.ts'
import { freePort } from './free-port.ts'
import { type Issued, issue } from './issue.ts'
import { createScriptedResponder, type ScriptedResponder, type ScriptedResponderOptions } from './responder.ts'
import { temporaryDirectory } from './temporary.ts'

/** Whose responder: of the intermediates themselves, or of what one of them issued. */
export type Level = 'root' | 'first' | 'second'
export type UserName = 'UserA1' | 'UserA2' | 'UserB1'

export interface User extends Issued {
  /** PEM: leaf, then its intermediate. */
  readonly chainPem: string
  readonly serialNumber: bigint
}

export interface MiniCa {
  /** PEM: the root alone. */
  readonly rootFile: string
  readonly root: Issued
  readonly intermediates: Readonly<Record<'first' | 'second', User>>
  /** UserA1 and UserA2 come from the first intermediate, UserB1 from the second. */
  readonly users: Readonly<Record<UserName, User>>
  /** For localhost, by the first intermediate. */
  readonly server: { readonly certificateFile: string; readonly keyFile: string }
  readonly signers: Readonly<Record<'undelegated' | 'delegated' | 'badDelegate', OcspSigner>>
  /** Where each level is asked. */
  readonly ports: Readonly<Record<Level, number>>
  /** Starts the responders that the certificates name, each with its delegate; they end with the test. */
  startResponders(options?: ResponderChoices): Promise<Readonly<Record<Level, ScriptedResponder>>>
  /** A chain as DER, up to the root. */
  chainOf(user: UserName): readonly Uint8Array[]
}

export interface ResponderChoices extends Partial<Pick<ScriptedResponderOptions, 'validityMs' | 'clock'>> {
  /** Who signs for the first intermediate; default its delegate. */
  readonly signer?: OcspSigner
}

/** Makes one. It takes a second. */
export async function createMiniCa(): Promise<MiniCa> {
  const directory = temporaryDirectory('mini-ca')
  const ports = { root: await freePort(), first: await freePort(), second: await freePort() }
  const url = (level: Level) => `authorityInfoAccess=OCSP;URI:http://127.0.0.1:${ports[level]}/`
  const make = (
    fileName: string,
    name: string,
    issuer: Issued | undefined,
    extensions: readonly string[],
    dates = {},
  ) =>
    issue({
      directory,
      fileName,
      subject: `/O=Testnats/CN=${name}`,
      keyType: 'p256',
      ...(issuer && { issuer }),
      serialHex: `40${randomBytes(8).toString('hex')}`,
      days: 365,
      extensions,
      ...dates,
    })
  const authorityExtensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
  ]
  const leafExtensions = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature']

  const root = await make('root', 'Root CA', undefined, authorityExtensions)
  const [first, second] = await Promise.all([
    make('first', 'Intermediate CA 1', root, [...authorityExtensions, url('root')]),
    make('second', 'Intermediate CA 2', root, [...authorityExtensions, url('root')]),
  ])
  const delegate = (fileName: string, issuer: Issued) =>
    make(fileName, `OCSP Responder ${fileName}`, issuer, [...leafExtensions, 'extendedKeyUsage=OCSPSigning'], {
      // Tests have them answer in the past too.
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
    })
  const user = (name: string, issuer: Issued, level: Level) =>
    make(name, name, issuer, [...leafExtensions, 'extendedKeyUsage=clientAuth', url(level)])
  const [ofRoot, ofFirst, ofSecond, a1, a2, b1, server] = await Promise.all([
    delegate('of-root', root),
    delegate('of-first', first),
    delegate('of-second', second),
    user('UserA1', first, 'first'),
    user('UserA2', first, 'first'),
    user('UserB1', second, 'second'),
    make('server', 'TestServer1', first, [
      ...leafExtensions,
      'extendedKeyUsage=serverAuth',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      url('first'),
    ]),
  ])
  const certificateFile = join(directory, 'server-chain.pem')
  await writeFile(certificateFile, server.pem + first.pem)
  const signers = { undelegated: signerOf(first), delegated: signerOf(ofFirst), badDelegate: signerOf(a2) }
  const users = { UserA1: userOf(a1, first), UserA2: userOf(a2, first), UserB1: userOf(b1, second) }

  return {
    rootFile: root.certificateFile,
    root,
    intermediates: { first: userOf(first, root), second: userOf(second, root) },
    users,
    server: { certificateFile, keyFile: server.keyFile },
    signers,
    ports,
    async startResponders({ signer = signers.delegated, ...options } = {}) {
      // Only for answers that are wrong on purpose.
      const authority = await createAuthority()
      const start = (level: Level, each: OcspSigner) =>
        createScriptedResponder({
          authority,
          port: ports[level],
          signer: each,
          ...(each !== signers.undelegated && { certificates: [each.certificate.der] }),
          ...options,
        })
      const [rootLevel, firstLevel, secondLevel] = await Promise.all([
        start('root', signerOf(ofRoot)),
        start('first', signer),
        start('second', signerOf(ofSecond)),
      ])
      return { root: rootLevel, first: firstLevel, second: secondLevel }
    },
    chainOf: (name) => [users[name].der, (name === 'UserB1' ? second : first).der, root.der],
  }
}

function signerOf(issued: Issued): OcspSigner {
  return { certificate: decodeCertificate(issued.der), privateKey: issued.key }
}

function userOf(issued: Issued, issuer: Issued): User {
  const { serialNumber } = decodeCertificate(issued.der)
  return { ...issued, chainPem: issued.pem + issuer.pem, serialNumber }
}
