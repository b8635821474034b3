/**
 * The sites of a configuration: which names lead to which certificates, backend and policies.
 *
 * The top-level `tls` is the default site; what an entry of `sites` does not say is as at the top.
 */
import { createSecureContext } from 'node:tls'
import { keyType } from '../../pki/x509/crypto.ts'
import { type KeyFamily, keyFamily } from '../../serve/attach/key-choice.ts'
import type { BackendReader } from './backends.ts'
import { isGiven, look, valueOf } from './block.ts'
import { type CertificateReading, readTlsCertificates } from './certificates.ts'
import { joinCipherSuites } from './cipher.ts'
import { readClientAuth } from './client-auth.ts'
import * as keys from './keys.ts'
import type { Report } from './report.ts'
import type { BackendSettings, CertificateSettings, Policies, SiteSettings } from './settings.ts'
import type { Block, Key, Located } from './type.ts'

export interface SiteReading extends CertificateReading {
  readonly policies: Policies
  /** The backend of sites that name none. */
  readonly backend: BackendSettings | undefined
  readonly backends: BackendReader
  /** Every site must name its own: nothing is said about the one at the top. */
  readonly isBackendOfSites: boolean
}

/** What the sites are and what the whole front takes from the default one. */
export interface ReadSites {
  readonly sites: readonly SiteSettings[]
  readonly handshakeTimeoutMs: number
  readonly connectionRateLimit: number | undefined
  readonly handshakeFirst: (Located<boolean | number> & { readonly path: string }) | undefined
}

/** Reads every site; a site with a problem is left out. */
export async function readSites(top: Located<Block>, reading: SiteReading): Promise<ReadSites> {
  const { report } = reading
  const drafts = listDrafts(top, report)
  const [first] = drafts
  const sites: SiteSettings[] = []
  const taken = new Map<string, Draft>()
  for (const draft of drafts) claimNames(draft, taken, report)
  for (const draft of drafts) {
    if (draft !== first) noteSharedKeys(draft, first, report)
    sites.push(...(await readSite(draft, taken, reading)))
  }
  const shared = first?.tls.value ?? noBlock
  const handshakeFirst = look(shared, keys.handshakeFirst)
  return {
    sites,
    handshakeTimeoutMs: valueOf(shared, keys.timeout),
    connectionRateLimit: look(shared, keys.connectionRateLimit)?.value || undefined,
    handshakeFirst: handshakeFirst && { ...handshakeFirst, path: first?.tlsPath ?? 'tls' },
  }
}

/** A site as it stands in the file. */
interface Draft {
  readonly block: Located<Block> | undefined
  readonly tls: Located<Block>
  /** The path of its tls block. */
  readonly tlsPath: string
  readonly path: string
  readonly names: readonly Located<string>[]
}

function listDrafts(top: Located<Block>, report: Report): Draft[] {
  const shared = look(top.value, keys.tls)
  const drafts: Draft[] = shared ? [{ block: undefined, tls: shared, tlsPath: 'tls', path: '', names: [] }] : []
  for (const [index, block] of (look(top.value, keys.sites)?.value ?? []).entries()) {
    const path = `sites[${index}]`
    const own = look(block.value, keys.tls)
    const names = look(block.value, keys.siteNames)?.value ?? []
    if (own !== undefined) drafts.push({ block, tls: own, tlsPath: `${path}.tls`, path, names })
    else if (isGiven(block.value, keys.tls)) continue
    else if (shared !== undefined) drafts.push({ block, tls: shared, tlsPath: 'tls', path, names })
    else if (!isGiven(top.value, keys.tls)) refuseWithoutTls(block, path, report)
  }
  if (drafts.length === 0 && !isGiven(top.value, keys.tls) && !isGiven(top.value, keys.sites)) {
    refuseWithoutTls(top, '', report)
  }
  return drafts
}

function refuseWithoutTls(block: Located<Block>, path: string, report: Report): void {
  report.refuse(block.at, path === '' ? 'tls' : `${path}.tls`, {
    summary: 'is missing: there is no certificate to serve',
    found: path === '' ? 'neither `tls` nor `sites`' : 'no tls in this site, and none at the top level',
    expected: 'a certificate and its key',
    hint: 'add `tls { cert_file: "server.pem", key_file: "server-key.pem" }`',
  })
}

function claimNames(draft: Draft, taken: Map<string, Draft>, report: Report): void {
  for (const { value: name, at } of draft.names) {
    const earlier = taken.get(name)
    if (earlier === undefined) taken.set(name, draft)
    else {
      report.refuse(at, `${draft.path}.names`, {
        summary: `${name} leads to two sites`,
        found: earlier === draft ? `${name} twice in this site` : `${name} in ${earlier.path} too`,
        expected: 'each name once',
        hint: 'remove it from one of them',
      })
    }
  }
}

/** What is agreed on before the name is known can only be one for the whole front. */
function noteSharedKeys(draft: Draft, first: Draft | undefined, report: Report): void {
  if (draft.tls === first?.tls) return
  for (const key of [keys.timeout, keys.curvePreferences, keys.connectionRateLimit, keys.handshakeFirst]) {
    const given = look<unknown>(draft.tls.value, key)
    if (given === undefined) continue
    const place = first?.path === '' ? 'the top-level `tls`' : '`sites[0]`'
    report.note(
      given.at,
      `${draft.tlsPath}.${key.name}`,
      `has no effect here: that of ${place} counts for the whole front`,
    )
  }
}

async function readSite(
  draft: Draft,
  taken: ReadonlyMap<string, Draft>,
  reading: SiteReading,
): Promise<SiteSettings[]> {
  const certificates = await readTlsCertificates(draft.tls, draft.tlsPath, reading)
  const handshake = readHandshake(draft, reading.report)
  const clientAuth = await readClientAuth(draft.tls, draft.tlsPath, reading.files, reading.report)
  const backend = await readBackend(draft, reading)
  if (backend === undefined) return []
  const policies = readPolicies(draft.block?.value, reading.policies)
  const groups = groupByName(certificates)
  return groups.map((group, index) => ({
    names: nameGroup(group, index === 0, draft, groups, taken),
    certificates: group,
    backend,
    mode: reading.mode,
    policies,
    ...handshake,
    ...(clientAuth && { clientAuth }),
  }))
}

function readHandshake(draft: Draft, report: Report): Pick<SiteSettings, 'minVersion' | 'ciphers' | 'ecdhCurve'> {
  const { tls, tlsPath } = draft
  const suites = lookAtList(tls, keys.cipherSuites)
  const ciphers = suites && joinCipherSuites(suites.value.map((each) => each.value))
  const preferences = lookAtList(tls, keys.curvePreferences)
  const ecdhCurve = preferences?.value.map((each) => each.value).join(':')
  if (suites && !isTaken({ ciphers })) refuseByOpenssl(suites, `${tlsPath}.cipher_suites`, 'cipher suites', report)
  if (preferences && !isTaken({ ecdhCurve }))
    refuseByOpenssl(preferences, `${tlsPath}.curve_preferences`, 'curves', report)
  return {
    minVersion: valueOf(tls.value, keys.minVersion),
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
  }
}

/** A list with something in it: what is wrong with the rest is said already. */
function lookAtList(
  tls: Located<Block>,
  key: Key<readonly Located<string>[]>,
): Located<readonly Located<string>[]> | undefined {
  const list = look(tls.value, key)
  return list !== undefined && list.value.length > 0 ? list : undefined
}

function refuseByOpenssl(given: Located<readonly Located<string>[]>, path: string, what: string, report: Report): void {
  report.refuse(given.at, path, {
    summary: `OpenSSL does not offer these ${what}`,
    found: given.value.map((each) => each.value).join(', '),
    expected: `${what} that OpenSSL ${process.versions.openssl} has`,
    hint: 'leave out the newest and the oldest of them',
  })
}

function isTaken(options: { ciphers?: string | undefined; ecdhCurve?: string | undefined }): boolean {
  try {
    createSecureContext(options)
    return true
  } catch {
    return false
  }
}

async function readBackend(
  { block, path }: Draft,
  { backend, backends, isBackendOfSites, report }: SiteReading,
): Promise<BackendSettings | undefined> {
  const own = block && look(block.value, keys.backend)
  if (own !== undefined) return backends.read(own, `${path}.backend`)
  if (block !== undefined && isGiven(block.value, keys.backend)) return undefined
  if (backend !== undefined || block === undefined || !isBackendOfSites) return backend
  return report.refuse(block.at, `${path}.backend`, {
    summary: 'is missing: there is nowhere to pass connections on to',
    found: 'no backend in this site, and none at the top level',
    expected: 'tcp://host:port, tls://host:port or nats://host:port',
    hint: 'add `backend: "tcp://127.0.0.1:8080"` here or at the top level, or pass --backend tcp://127.0.0.1:8080',
  })
}

function readPolicies(block: Block | undefined, top: Policies): Policies {
  if (block === undefined) return top
  return {
    onStart: top.onStart,
    onRevoked: look(block, keys.onRevoked)?.value ?? top.onRevoked,
    onUnknown: look(block, keys.onUnknown)?.value ?? top.onUnknown,
    onStale: look(block, keys.onStale)?.value ?? top.onStale,
  }
}

/**
 * Certificates that one site can hold: one per family of keys. Further ones of a family, as nats-server's `certs` may
 * list for other names, become sites of their own, chosen by the names in them.
 */
function groupByName(certificates: readonly CertificateSettings[]): CertificateSettings[][] {
  const groups: CertificateSettings[][] = []
  for (const certificate of certificates) {
    const group = groups.find((each) => isPartner(certificate, each))
    if (group === undefined) groups.push([certificate])
    else group.push(certificate)
  }
  return groups
}

function isPartner(certificate: CertificateSettings, group: readonly CertificateSettings[]): boolean {
  const family = familyOf(certificate)
  if (group.some((each) => familyOf(each) === family)) return false
  const names = certificate.leaf.extensions.dnsNames
  return names.length === 0 || group.some((each) => each.leaf.extensions.dnsNames.some((name) => names.includes(name)))
}

function familyOf(certificate: CertificateSettings): KeyFamily {
  return keyFamily(keyType(certificate.leaf))
}

/** The names given to the site go to the group whose certificates have them, else to the first. */
function nameGroup(
  group: readonly CertificateSettings[],
  isFirst: boolean,
  draft: Draft,
  groups: readonly (readonly CertificateSettings[])[],
  taken: ReadonlyMap<string, Draft>,
): string[] {
  const own = namesOf(group)
  if (draft.names.length === 0) return own.filter((name) => !taken.has(name))
  const given = draft.names.map((each) => each.value)
  const inOthers = new Set(groups.filter((each) => each !== group).flatMap(namesOf))
  return given.filter((name) => own.includes(name) || (isFirst && !inOthers.has(name)))
}

function namesOf(group: readonly CertificateSettings[]): string[] {
  return [...new Set(group.flatMap((each) => each.leaf.extensions.dnsNames.map((name) => name.toLowerCase())))]
}

const noBlock: Block = { entries: new Map() }
