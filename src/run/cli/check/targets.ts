/** What is to be checked, as people write it: on the command line, or one per line in a file. */
import { isIP, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { type StarttlsProtocol, starttlsProtocols, type Target } from '../../../check/probe/record.ts'
import { UsageError } from '../usage.ts'

/** What all targets share that do not say their own. */
export interface TargetDefaults {
  readonly starttls?: StarttlsProtocol | 'none'
  readonly serverName?: string
  readonly guessStarttls: (port: number) => StarttlsProtocol | undefined
}

/** The targets of a file, and what is wrong with it. */
export interface TargetFile {
  readonly targets: readonly Target[]
  readonly problems: readonly UsageError[]
}

/**
 * Parses a target: `host`, `host:port`, `[v6]:port`, a bare v6 address, or a URL, of which host and port count and whose
 * scheme says how the protocol begins.
 *
 * @throws {@link UsageError}
 */
export function parseTarget(text: string, defaults: TargetDefaults): Target {
  const { host, port, begins } = text.includes('://') ? parseUrl(text) : parsePlace(text, httpsPort)
  const chosen = defaults.starttls ?? begins ?? defaults.guessStarttls(port)
  const { serverName } = defaults
  return {
    label: text,
    host,
    port,
    ...(serverName !== undefined && { serverName }),
    ...(chosen !== undefined && chosen !== 'none' && { starttls: chosen }),
  }
}

/**
 * Parses a file of targets: one per line, `#` begins a comment, and after the target may stand `starttls=smtp` and
 * `servername=name`.
 */
export function parseTargetFile(text: string, name: string, defaults: TargetDefaults): TargetFile {
  const targets: Target[] = []
  const problems: UsageError[] = []
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const [place, ...options] = line
      .replace(/(^|\s)#.*/, '')
      .split(/\s+/)
      .filter(Boolean)
    if (place === undefined) continue
    try {
      const target = parseTarget(place, { ...defaults, ...parseOptions(options) })
      // One host may stand there several times, asked in other ways: reports must tell them apart.
      targets.push({ ...target, label: [place, ...options].join(' ') })
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(new UsageError(`${name}:${index + 1}: ${error.message}`, error.hint))
    }
  }
  return { targets, problems }
}

/** Each target once, in the order they were first named. */
export function withoutRepeats<T extends { readonly target: Target }>(planned: readonly T[]): T[] {
  const seen = new Map<string, T>()
  for (const each of planned) {
    const { host, port, serverName = host, starttls } = each.target
    const key = JSON.stringify([host, port, serverName, starttls])
    if (!seen.has(key)) seen.set(key, each)
  }
  return [...seen.values()]
}

/** @throws {@link UsageError} */
export function parseStarttls(text: string, where: string): StarttlsProtocol | 'none' {
  const protocol = [...starttlsProtocols, 'none' as const].find((each) => each === text.toLowerCase())
  if (protocol !== undefined) return protocol
  throw new UsageError(`${where} "${text}" is not known`, `write one of ${starttlsProtocols.join(', ')}, or none`)
}

/** @throws {@link UsageError} */
export function parseServerName(text: string, where: string): string {
  const name = toHost(text)
  if (name !== undefined && isIP(name) === 0) return name
  throw new UsageError(
    `${where} "${text}" is not a DNS name`,
    'write the name that clients ask for, as www.example.com',
  )
}

interface Place {
  readonly host: string
  readonly port: number
  readonly begins?: StarttlsProtocol | 'none'
}

function parseOptions(options: readonly string[]): Partial<TargetDefaults> {
  const parsed: { starttls?: StarttlsProtocol | 'none'; serverName?: string } = {}
  for (const option of options) {
    const [name, ...rest] = option.split('=')
    const value = rest.join('=')
    if (name === 'starttls') parsed.starttls = parseStarttls(value, 'starttls')
    else if (name === 'servername') parsed.serverName = parseServerName(value, 'servername')
    else throw new UsageError(`"${option}" is no option of a target`, 'starttls=PROTOCOL and servername=NAME are')
  }
  return parsed
}

function parseUrl(text: string): Place {
  const [, scheme = '', rest = ''] = /^([^:]*):\/\/(.*)$/.exec(text) ?? []
  const known = schemes[scheme.toLowerCase()]
  if (known === undefined) {
    const hint =
      scheme.toLowerCase() === 'http'
        ? 'it has no certificate; write https://, or host:port of what speaks TLS'
        : `write host:port, or one of ${Object.keys(schemes).join(', ')} before ://`
    throw new UsageError(`"${text}": the scheme ${scheme} speaks no TLS that is known here`, hint)
  }
  const [authority = ''] = rest.split(/[/?#]/)
  const place = authority.slice(authority.lastIndexOf('@') + 1)
  return { ...parsePlace(place, known.port, text), begins: known.starttls ?? 'none' }
}

function parsePlace(place: string, defaultPort: number, text: string = place): Place {
  const refuse = (why: string, hint: string): never => {
    throw new UsageError(`"${text}": ${why}`, hint)
  }
  if (isIPv6(place)) return { host: place, port: defaultPort }
  const [, bracketed, plain = '', written] =
    /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(place) ??
    refuse('not a host and a port', 'write an IPv6 address in brackets, as [2001:db8::1]:443')
  const port = written === undefined ? defaultPort : Number(written)
  if (written !== undefined && !(/^\d{1,5}$/.test(written) && port > 0 && port <= 65_535)) {
    refuse(`"${written}" is not a port`, 'write a number from 1 to 65535 after the colon')
  }
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed))
      refuse(`"${bracketed}" is not an IPv6 address`, 'brackets are for those, as [2001:db8::1]:443')
    return { host: bracketed, port }
  }
  const host = toHost(plain)
  if (host === undefined) return refuse('not a host name', 'write a name or an address, as example.com:8443')
  return { host, port }
}

/** A name as the DNS has it, or an address; undefined when it is neither. */
function toHost(text: string): string | undefined {
  if (isIP(text) !== 0) return text
  // Of `example.com#x`, the conversion would keep what stands before the `#`.
  if (/[^\p{L}\p{M}\p{N}._-]/u.test(text)) return undefined
  const ascii = domainToASCII(text.replace(/\.$/, '')).toLowerCase()
  const isName =
    ascii.length <= 253 && ascii.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  // 1.2.3 would be taken for 1.2.0.3 by some resolvers, and for a name by none.
  return isName && !/(^|\.)\d+$/.test(ascii) ? ascii : undefined
}

const httpsPort = 443

const schemes: Readonly<Record<string, { readonly port: number; readonly starttls?: StarttlsProtocol }>> = {
  https: { port: httpsPort },
  wss: { port: httpsPort },
  tls: { port: httpsPort },
  smtp: { port: 25, starttls: 'smtp' },
  submission: { port: 587, starttls: 'smtp' },
  smtps: { port: 465 },
  submissions: { port: 465 },
  imap: { port: 143, starttls: 'imap' },
  imaps: { port: 993 },
  pop3: { port: 110, starttls: 'pop3' },
  pop3s: { port: 995 },
  ftp: { port: 21, starttls: 'ftp' },
  ftps: { port: 990 },
  ldap: { port: 389, starttls: 'ldap' },
  ldaps: { port: 636 },
  postgres: { port: 5432, starttls: 'postgres' },
  postgresql: { port: 5432, starttls: 'postgres' },
  mysql: { port: 3306, starttls: 'mysql' },
  xmpp: { port: 5222, starttls: 'xmpp' },
  nats: { port: 4222, starttls: 'nats' },
}
