/**
 * Certificate files as they are renewed, and what a client sees of it: which certificate, and whether its own staple came.
 */
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeOcspResponse } from '../../src/pki/ocsp/index.ts'
import { decodeCertificate } from '../../src/pki/x509/certificate.ts'
import type { Leaf } from '../kit/authority.ts'
import { connectWithNode, type NodeTarget } from '../kit/clients/node.ts'
import type { LogLine, RunningDaemon } from '../kit/daemon.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

/** Where certificates stand, and how another is put there. */
export interface RenewedFiles {
  /** As a leaf, for the configuration. */
  readonly files: Leaf
  put(leaf: Leaf): Promise<void>
}

/** As certbot and most scripts do it: written beside, then renamed over, one file after the other. */
export async function placeByRename(first: Leaf): Promise<RenewedFiles> {
  const files = filesIn(temporaryDirectory('tls'), first)
  const put = async ({ chainPem, key }: Leaf) => {
    await writeFile(`${files.keyFile}.new`, key)
    await writeFile(`${files.certificateFile}.new`, chainPem)
    await rename(`${files.keyFile}.new`, files.keyFile)
    await rename(`${files.certificateFile}.new`, files.certificateFile)
  }
  await put(first)
  return { files, put }
}

/** As Kubernetes mounts a secret: links through `..data`, which is replaced by a rename; the old directory goes. */
export async function placeByLink(first: Leaf): Promise<RenewedFiles> {
  const directory = temporaryDirectory('secret')
  const files = filesIn(directory, first)
  let version = 0
  const put = async ({ chainPem, key }: Leaf) => {
    const name = `..2026_11_21_${++version}`
    await mkdir(join(directory, name))
    await writeFile(join(directory, name, 'tls.crt'), chainPem)
    await writeFile(join(directory, name, 'tls.key'), key)
    await symlink(name, join(directory, '..data_tmp'))
    await rename(join(directory, '..data_tmp'), join(directory, '..data'))
    await rm(join(directory, `..2026_11_21_${version - 1}`), { recursive: true, force: true })
  }
  await put(first)
  await symlink('..data/tls.crt', files.certificateFile)
  await symlink('..data/tls.key', files.keyFile)
  return { files, put }
}

function filesIn(directory: string, leaf: Leaf): Leaf {
  return { ...leaf, certificateFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
}

/** What a handshake showed: the serial number of the certificate, and what its own staple says of it. */
export interface Sight {
  readonly serial: bigint | undefined
  /** `another`: a staple for another certificate came. */
  readonly staple: 'good' | 'revoked' | 'unknown' | 'none' | 'another'
  readonly refusedBecause?: string
}

/** Shakes hands once. */
export async function see(target: NodeTarget): Promise<Sight> {
  const { certificate, stapleBytes, refusedBecause } = await connectWithNode(target)
  return judge(certificate, stapleBytes, refusedBecause)
}

/** The same of what a client took from a handshake. */
export function judge(certificate?: Uint8Array, stapleBytes?: Uint8Array, refusedBecause?: string): Sight {
  const serial = certificate && decodeCertificate(certificate).serialNumber
  const refusal = refusedBecause === undefined ? {} : { refusedBecause }
  if (stapleBytes === undefined) return { serial, staple: 'none', ...refusal }
  const [response] = decodeOcspResponse(stapleBytes).basicResponse?.responses ?? []
  const isOwn = response?.certID.serialNumber === serial
  return { serial, staple: isOwn ? (response?.certStatus ?? 'none') : 'another', ...refusal }
}

/** What is seen of a leaf that is shown with a staple that says so. */
export function sightOf(leaf: Leaf, staple: Sight['staple'] = 'good'): Sight {
  return { serial: leaf.certificate.serialNumber, staple }
}

/** Edits the configuration, asks for a reload by SIGHUP and resolves with the line that says what came of it. */
export async function reload(daemon: RunningDaemon, edit?: (text: string) => string): Promise<LogLine> {
  if (edit) await writeFile(daemon.configFile, edit(await readFile(daemon.configFile, 'utf8')))
  const from = daemon.log().length
  daemon.program.kill('SIGHUP')
  return daemon.waitForLine(/^(not )?reloaded \(SIGHUP\)/, 30_000, from)
}
