/**
 * The sites of a terminator, and which of them a client means.
 *
 * Looked up once or twice in every handshake, hence maps: Node's own `addContext` tries one pattern after the other.
 */
import type { TLSSocket } from 'node:tls'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import { bytesKey } from '../attach/bytes-key.ts'
import { type KeyFamily, type KeyUse, keyUse } from '../attach/key-choice.ts'
import { isRefusing, isStapled, type Policies, type RefusalReason, type StopReason } from '../attach/policy.ts'
import { authIdOf, type ClientChain, createChainReader } from './client-auth.ts'
import type { BackendOption, TerminatorCertificate, TerminatorSite } from './options.ts'

export interface Site {
  /** What events call it: its first name, or the default. */
  readonly label: string
  readonly options: TerminatorSite
  readonly policies: Policies
  readonly backend: BackendOption
  readonly certificates: readonly SiteCertificate[]
  /** Says which certificates clients are asked for; empty: none. */
  readonly authId: string
  /** The chain of a client that has shaken hands, proven where it can be; where CAs are asked about clients. */
  chainOf(client: TLSSocket): ClientChain
  /** Whether some state of the keeper makes it refuse handshakes; only then is it judged after each. */
  readonly isStrict: boolean
}

/** One certificate of one site, and what is done with it now. */
export interface SiteCertificate {
  readonly options: TerminatorCertificate
  readonly certificateKey: string
  readonly family: KeyFamily
  /** What a client must offer to use it. */
  readonly use: KeyUse
  readonly der: Uint8Array
  readonly isStapled: boolean
  readonly site: Site
  /** Why full handshakes on it are refused at present. */
  refusal: RefusalReason | undefined
  /** What was told in a 'stop' event. */
  stopTold: StopReason | undefined
}

export interface SiteTable {
  readonly sites: readonly Site[]
  readonly default: Site
  /** The site of a name; undefined when no site has it. Without a name: the default. */
  find(serverName: string | false | null | undefined): Site | undefined
  /** The certificates with these bytes: the same one may be shown by several sites, under different policies. */
  findCertificates(der: Buffer): readonly SiteCertificate[]
}

/** Builds the table. Throws a TypeError for sites that cannot be told apart or certificates that cannot stand together. */
export function createSiteTable(
  options: readonly TerminatorSite[],
  defaultBackend: BackendOption | undefined,
): SiteTable {
  const sites = options.map((site) => createSite(site, defaultBackend))
  const [first] = sites
  if (first === undefined) throw new TypeError('sites: expected at least one, found none')
  const exact = new Map<string, Site>()
  const wildcard = new Map<string, Site>()
  const byBytes = new Map<string, SiteCertificate[]>()
  for (const site of sites) {
    for (const name of site.options.names) {
      const isWildcard = name.startsWith('*.')
      const [names, key] = isWildcard ? [wildcard, name.slice(2).toLowerCase()] : [exact, name.toLowerCase()]
      // The first site that has a name keeps it: with nats-server too the first certificate that fits is taken.
      if (!names.has(key)) names.set(key, site)
    }
    for (const certificate of site.certificates) {
      const key = bytesKey(Buffer.from(certificate.der))
      byBytes.set(key, [...(byBytes.get(key) ?? []), certificate])
    }
  }
  return {
    sites,
    default: first,
    find(serverName) {
      if (!serverName) return first
      const name = serverName.toLowerCase()
      const site = exact.get(name)
      if (site !== undefined || wildcard.size === 0) return site
      // A star is one label: a name of one label alone has none to spare for it.
      const dot = name.indexOf('.')
      return dot < 0 ? undefined : wildcard.get(name.slice(dot + 1))
    },
    findCertificates: (der) => byBytes.get(bytesKey(der)) ?? none,
  }
}

/** The certificate of a site with a key of that family. */
export function certificateOf(site: Site, family: KeyFamily): SiteCertificate | undefined {
  for (const certificate of site.certificates) if (certificate.family === family) return certificate
  return undefined
}

function createSite(options: TerminatorSite, defaultBackend: BackendOption | undefined): Site {
  const label = options.names[0] ?? 'default'
  const backend = options.backend ?? defaultBackend
  if (backend === undefined) throw new TypeError(`sites: ${label} has no backend, and there is no default one`)
  if (options.certificates.length === 0) throw new TypeError(`sites: ${label} has no certificate`)
  const certificates: SiteCertificate[] = []
  const site: Site = {
    label,
    options,
    policies: options.policies,
    backend,
    certificates,
    authId: authIdOf(options.clientAuth),
    chainOf: createChainReader(options.clientAuth?.ocspPeer ? parsePemCertificates(options.clientAuth.ca) : []),
    isStrict: options.mode !== 'never' && isRefusing(options.policies),
  }
  for (const one of options.certificates) {
    const [leaf] = parsePemCertificates(one.chain)
    if (leaf === undefined) throw new TypeError(`sites: a chain of ${label} holds no certificate`)
    const use = keyUse(leaf, options)
    const { family } = use
    if (certificates.some((other) => other.family === family)) {
      throw new TypeError(`sites: ${label} has two certificates with ${family} keys; give each a site of its own`)
    }
    certificates.push({
      options: one,
      certificateKey: one.certificateKey,
      family,
      use,
      der: leaf.der,
      isStapled: isStapled(options.mode, leaf),
      site,
      refusal: undefined,
      stopTold: undefined,
    })
  }
  return site
}

const none: readonly SiteCertificate[] = []
