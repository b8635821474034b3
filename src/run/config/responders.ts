/**
 * How each certificate is asked about: by the entry of `responders` for its issuer or URL, else by `ocsp { url }`.
 */
import type { Certificate } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'
import { look, valueOf } from './block.ts'
import { responderCertificate, responderHash, responderMethod, responderURL } from './keys.ts'
import type { PemFiles } from './pem-file.ts'
import type { Report } from './report.ts'
import type { CertificateSettings, ResponderRule } from './settings.ts'
import type { Block, Located } from './type.ts'
import type { Value } from './value.ts'

export type Override = Pick<CertificateSettings, 'responderURLs' | 'hashAlgorithm' | 'method' | 'responderCertificate'>

export interface Overrides {
  find(leaf: Certificate): Override
  /** The entries, for certificates that are only met later. */
  readonly rules: readonly ResponderRule[]
  /** Says which entries were for no certificate. */
  noteUnused(report: Report): void
}

interface Rule {
  readonly key: string
  readonly at: Value
  readonly isURL: boolean
  readonly override: Override
  /** As the entry itself says. */
  readonly responderURLs: readonly string[] | undefined
  isUsed: boolean
}

/** Reads `responders`; `urls` are those of `ocsp`. */
export async function readOverrides(
  responders: ReadonlyMap<string, Located<Block>>,
  urls: readonly string[] | undefined,
  files: PemFiles,
  report: Report,
): Promise<Overrides> {
  const rules: Rule[] = []
  for (const [key, entry] of responders) {
    const isURL = key.includes('://')
    if (!isURL && !key.includes('=')) {
      report.refuse(entry.at, `responders.${key}`, {
        summary: 'names neither an issuer nor a URL',
        found: JSON.stringify(key),
        expected: 'the subject of an issuer, such as "CN=Example CA,O=Example", or a responder URL',
        hint: 'openssl x509 -noout -issuer -nameopt RFC2253 -in CERT shows the issuer of a certificate',
      })
      continue
    }
    const override = await readOverride(entry, `responders.${key}`, urls, files)
    rules.push({
      key: isURL ? normalizeURL(key) : normalizeName(key),
      at: entry.at,
      isURL,
      override,
      responderURLs: look(entry.value, responderURL)?.value.map((each) => each.value),
      isUsed: false,
    })
  }
  return {
    find(leaf) {
      const rule = findResponderRule(rules, leaf)
      if (rule === undefined) return { hashAlgorithm: 'auto', method: 'auto', ...(urls && { responderURLs: urls }) }
      rule.isUsed = true
      return rule.override
    },
    rules: rules.map(describeRule),
    noteUnused(into) {
      for (const { key, at, isURL, isUsed } of rules) {
        if (isUsed) continue
        const what = isURL ? 'no certificate here names this URL' : 'no certificate here has this issuer'
        into.note(at, `responders.${key}`, `has no effect: ${what}`)
      }
    },
  }
}

/** As plain data, without what is by default or belongs to the front's own certificates alone. */
function describeRule({ key, isURL, responderURLs, override }: Rule): ResponderRule {
  const { hashAlgorithm, method, responderCertificate } = override
  return {
    key,
    isURL,
    ...(responderURLs && { responderURLs }),
    ...(hashAlgorithm !== 'auto' && { hashAlgorithm }),
    ...(method !== 'auto' && { method }),
    ...(responderCertificate && { responderCertificate: responderCertificate.der }),
  }
}

/** The entry that a certificate is asked about by: that of its issuer, else of a URL that it names. */
export function findResponderRule<Each extends { readonly key: string; readonly isURL: boolean }>(
  rules: readonly Each[],
  certificate: Certificate,
): Each | undefined {
  if (rules.length === 0) return undefined
  const issuer = normalizeName(formatName(certificate.issuer))
  const asked = certificate.extensions.responderURLs.map(normalizeURL)
  return (
    rules.find((each) => !each.isURL && (each.key === issuer || reverseName(each.key) === issuer)) ??
    rules.find((each) => each.isURL && asked.includes(each.key))
  )
}

async function readOverride(
  entry: Located<Block>,
  path: string,
  urls: readonly string[] | undefined,
  files: PemFiles,
): Promise<Override> {
  const given = look(entry.value, responderURL)?.value.map((each) => each.value) ?? urls
  const file = look(entry.value, responderCertificate)
  const certificate = file && (await files.readCertificates(file, `${path}.certificate`))?.certificates[0]
  return {
    hashAlgorithm: valueOf(entry.value, responderHash),
    method: valueOf(entry.value, responderMethod),
    ...(given && { responderURLs: given }),
    ...(certificate && { responderCertificate: certificate }),
  }
}

/** Spaces around `,` and `=` and upper or lower case of attribute names differ from tool to tool. */
function normalizeName(name: string): string {
  return splitName(name)
    .map((part) => {
      const [attribute = '', ...value] = part.split('=')
      return `${attribute.trim().toUpperCase()}=${value.join('=').trim()}`
    })
    .join(',')
}

/** OpenSSL shows names in the order of the certificate, RFC 4514 in the reverse. */
function reverseName(name: string): string {
  return splitName(name).reverse().join(',')
}

function splitName(name: string): string[] {
  return name.split(/(?<!\\),/)
}

function normalizeURL(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/$/, '')
}
