/**
 * Backends, at the top and in sites: groups of addresses, how TLS to them is verified, and what they make of the protocol.
 */
import type { BackendURL } from './address.ts'
import { isGiven, look } from './block.ts'
import * as keys from './keys.ts'
import type { PemFiles } from './pem-file.ts'
import { formatPem } from './pem-text.ts'
import type { Report } from './report.ts'
import type { BackendSettings, Settings } from './settings.ts'
import type { Block, Located } from './type.ts'

type Given = Located<readonly Located<BackendURL>[] | Block>

/** Reads every backend, and remembers what they say about the protocol. */
export interface BackendReader {
  /** A group; undefined when that was refused. */
  read(given: Given, path: string): Promise<BackendSettings | undefined>
  /** The protocol of the front, once every backend is read. */
  readProtocol(block: Block): Settings['protocol']
}

/** Creates a reader of backends; `danger` is that block. */
export function createBackendReader(danger: Block, files: PemFiles, report: Report): BackendReader {
  const seen: (Located<BackendURL> & { path: string })[] = []
  const unverified = look(danger, keys.unverifiedBackends)
  const isUnverified = unverified?.value ?? false
  return {
    async read(given, path) {
      const group = readGroup(given, path, report)
      seen.push(...group.urls.map((each) => ({ ...each, path })))
      const isOverTls = group.urls.some((each) => each.value.scheme === 'tls')
      if (group.urls.length > 0 && !isOverTls) refuseTlsKeys(group, path, report)
      const authorities = group.caFile && (await files.readCertificates(group.caFile, `${path}.ca_file`))
      if (group.urls.length === 0 || (group.caFile && !authorities)) return undefined
      if (!isAlike(group.urls, path, report)) return undefined
      return {
        urls: group.urls.map((each) => each.value.url),
        ...(authorities && { caPem: authorities.certificates.map((each) => formatPem(each.der)).join('') }),
        ...(group.serverName && { serverName: group.serverName.value }),
        isUnverified,
      }
    },
    readProtocol(block) {
      if (isUnverified && unverified && !seen.some((each) => each.value.scheme === 'tls')) {
        report.note(unverified.at, 'danger.unverified_backends', 'has no effect here: no backend is a tls:// URL')
      }
      const nats = seen.find((each) => each.value.scheme === 'nats')
      const given = look(block, keys.protocol)
      if (nats === undefined || given?.value === 'nats') return given?.value ?? 'tcp'
      // One front speaks one protocol: what is said otherwise elsewhere would be a surprise at the first connection.
      const other = given ?? seen.find((each) => each.value.scheme !== 'nats')
      if (other !== undefined) {
        report.refuse(other.at, given ? 'protocol' : ((other as { path?: string }).path ?? 'backend'), {
          summary: 'a nats:// backend makes the whole front speak NATS, and this says otherwise',
          found: given ? 'protocol: tcp' : (other.value as BackendURL).url,
          expected: given ? 'protocol: nats, or tcp:// backends' : 'nats:// for every backend',
          hint: given
            ? 'leave `protocol` out'
            : 'write it as nats://, or say `protocol: nats` if all of them are NATS servers',
        })
      }
      return 'nats'
    },
  }
}

interface Group {
  readonly urls: readonly Located<BackendURL>[]
  readonly caFile?: Located<string> | undefined
  readonly serverName?: Located<string> | undefined
}

function readGroup(given: Given, path: string, report: Report): Group {
  const { value: block } = given
  if (isList(block)) return { urls: block }
  if (!isGiven(block, keys.backendURLs)) {
    report.refuse(given.at, `${path}.url`, {
      summary: 'is missing: there is nowhere to pass connections on to',
      found: 'no url in this map',
      expected: 'tcp://host:port or tls://host:port, or a list of them',
      hint: `add \`${keys.backendURLs.example}\``,
    })
  }
  return {
    urls: look(block, keys.backendURLs)?.value ?? [],
    caFile: look(block, keys.backendCaFile),
    serverName: look(block, keys.backendServerName),
  }
}

function isList(value: Given['value']): value is readonly Located<BackendURL>[] {
  return Array.isArray(value)
}

/** Whoever names a CA believes that the connection is encrypted. */
function refuseTlsKeys({ caFile, serverName }: Group, path: string, report: Report): void {
  for (const [name, key] of [
    ['ca_file', caFile],
    ['server_name', serverName],
  ] as const) {
    if (key === undefined) continue
    report.refuse(key.at, `${path}.${name}`, {
      summary: 'is for tls:// backends, and this one is not encrypted',
      found: `${name} beside a backend without TLS`,
      expected: 'a tls:// URL, or no such key',
      hint: 'write the URL as tls://, or leave this out',
    })
  }
}

function isAlike(urls: readonly Located<BackendURL>[], path: string, report: Report): boolean {
  const [first] = urls
  let isAlike = true
  for (const [index, each] of urls.entries()) {
    if (urls.slice(0, index).some(({ value }) => value.url === each.value.url)) {
      isAlike = false
      report.refuse(each.at, path, {
        summary: 'the same backend twice',
        found: each.value.url,
        expected: 'each backend once',
        hint: 'remove one of them',
      })
    } else if (first && (each.value.scheme === 'tls') !== (first.value.scheme === 'tls')) {
      isAlike = false
      report.refuse(each.at, path, {
        summary: 'some of these backends are over TLS and some are not',
        found: `${each.value.url} beside ${first.value.url}`,
        expected: 'all of them over TLS, or none',
        hint: 'which one a connection gets is chance: write all of them as tls://, or none',
      })
    }
  }
  return isAlike
}
