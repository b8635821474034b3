/**
 * CRLs out of the real `openssl ca -gencrl`, and a web server that gives them, or misbehaves as told.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Authority } from './authority.ts'
import { endsWithTest } from './lifetime.ts'
import { digestOf, openssl } from './openssl.ts'
import { temporaryDirectory } from './temporary.ts'

export interface IssueCrlOptions {
  /** Default a minute ago. */
  readonly thisUpdate?: Date
  /** Default a day from now. */
  readonly nextUpdate?: Date
  /** Lines of the extension section: `issuingDistributionPoint=critical,@point`. Null: a CRL of version 1. */
  readonly extensions?: readonly string[] | null
  /** Further lines of the configuration, for sections that the extensions name. */
  readonly sections?: readonly string[]
  /** Default 1; null: none. */
  readonly crlNumber?: number | null
  /** Default what suits the key. */
  readonly digest?: string
  /** Default the intermediate. */
  readonly ca?: 'intermediate' | 'root'
}

/** Issues a CRL out of the authority's index.txt: DER, as `revoke` left it. */
export async function issueCrl(authority: Authority, o: IssueCrlOptions = {}): Promise<Uint8Array> {
  const directory = temporaryDirectory('crl')
  const file = (name: string) => join(directory, name)
  const signer = o.ca === 'root' ? authority.root : authority.intermediate
  // `openssl ca` may rewrite its database: it gets one of its own.
  await writeFile(file('index.txt'), o.ca === 'root' ? '' : await readFile(authority.indexFile))
  await writeFile(file('index.txt.attr'), 'unique_subject = no\n')
  const hasNumber = o.crlNumber !== null && o.extensions !== null
  if (hasNumber) await writeFile(file('number'), (o.crlNumber ?? 1).toString(16).padStart(2, '0'))
  const lines = [
    '[authority]',
    `database = ${file('index.txt')}`,
    `default_md = ${o.digest ?? digestOf[signer.keyType] ?? 'default'}`,
    ...(hasNumber ? [`crlnumber = ${file('number')}`] : []),
    '[crl]',
    ...(o.extensions ?? ['authorityKeyIdentifier=keyid:always']),
    ...(o.sections ?? []),
  ]
  await writeFile(file('crl.cnf'), `${lines.join('\n')}\n`)
  await openssl([
    ...['ca', '-gencrl', '-config', file('crl.cnf'), '-name', 'authority', '-out', file('crl.pem')],
    ...['-cert', signer.certificateFile, '-keyfile', signer.keyFile],
    ...['-crl_lastupdate', asn1Time(o.thisUpdate ?? new Date(Date.now() - 60_000))],
    ...['-crl_nextupdate', asn1Time(o.nextUpdate ?? new Date(Date.now() + 86_400_000))],
    ...(o.extensions === null ? [] : ['-crlexts', 'crl']),
  ])
  return new Uint8Array(await openssl(['crl', '-in', file('crl.pem'), '-outform', 'DER']))
}

/** The same as PEM. */
export function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN X509 CRL-----\n${lines}\n-----END X509 CRL-----\n`
}

/** How a path answers: with bytes, or by a function of its own. */
export type CrlAnswer = Uint8Array | string | ((request: IncomingMessage, response: ServerResponse) => void)

export interface CrlServer {
  readonly port: number
  /** `http://127.0.0.1:PORT/PATH`. */
  url(path: string): string
  /** What the path answers from now on; what was never named is 404. */
  give(path: string, answer: CrlAnswer): void
  /** Paths in the order in which they were asked for. */
  readonly asked: readonly string[]
  forget(): void
}

/** Starts it on a free port; it ends with the test. */
export async function createCrlServer(): Promise<CrlServer> {
  const answers = new Map<string, CrlAnswer>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1)
    asked.push(path)
    const answer = answers.get(path)
    if (typeof answer === 'function') return answer(request, response)
    if (answer === undefined) response.writeHead(404)
    else response.writeHead(200, { 'content-type': 'application/pkix-crl' })
    response.end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: (path) => `http://127.0.0.1:${port}/${path}`,
    give: (path, answer) => void answers.set(path, answer),
    asked,
    forget() {
      asked.length = 0
    },
  }
}

function asn1Time(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
}
