/**
 * A configuration file as settings that are fit to start with, or every problem it has.
 *
 * Reads the file and what it names; starts nothing and writes nothing.
 */
import { resolve } from 'node:path'
import type { ConfigProblem } from '../../errors.ts'
import { systemClock } from '../../keep/clock.ts'
import { defaultPolicies } from '../../serve/attach/policy.ts'
import { readAdmin } from './admin.ts'
import { type BackendReader, createBackendReader } from './backends.ts'
import { isGiven, look, valueOf } from './block.ts'
import * as keys from './keys.ts'
import { readNats } from './nats.ts'
import { readPeerCache } from './peers.ts'
import { createPemFiles } from './pem-file.ts'
import { createConfigError, orderProblems } from './problem.ts'
import { createReport, type Report } from './report.ts'
import { type Document, readDocument } from './resolve.ts'
import { readOverrides } from './responders.ts'
import type {
  BackendSettings,
  ListenerSettings,
  LoadedConfig,
  LoadOptions,
  Mode,
  Notice,
  Policies,
  Settings,
} from './settings.ts'
import { readSites } from './sites.ts'
import { digestOf } from './source.ts'
import { examineStoreDir } from './store-dir.ts'
import { surveyKeys } from './survey.ts'
import { type Block, type Key, type Located, readBlock } from './type.ts'
import type { Place, Value } from './value.ts'

/**
 * Loads a configuration file in the format of nats-server, with every file it names.
 *
 * @param file - relative to `options.workingDirectory`
 * @throws {@link StapleError} `ERR_CONFIG_READ` when the file cannot be read; `ERR_CONFIG_INVALID` with every problem at
 * once, its message ready to print
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadedConfig> {
  const { settings, problems, notices } = await examine(file, options)
  if (problems.length > 0 || settings === undefined) throw createConfigError(problems)
  return { settings, notices }
}

/** Everything that is wrong with a configuration and what else there is to say about it, in the order of the file. */
export async function checkConfig(
  file: string,
  options: LoadOptions,
): Promise<{ readonly problems: readonly ConfigProblem[]; readonly notices: readonly Notice[] }> {
  const { problems, notices } = await examine(file, options)
  return { problems: orderProblems(problems), notices }
}

interface Examined {
  readonly settings: Settings | undefined
  readonly problems: readonly ConfigProblem[]
  readonly notices: readonly Notice[]
}

async function examine(given: string, options: LoadOptions): Promise<Examined> {
  const file = resolve(options.workingDirectory, given)
  const document = await readDocument(file, options.environment, options.texts)
  const report = createReport()
  for (const each of document.files) {
    const text = document.texts.get(each)
    report.read(each, text && { digest: digestOf(text), text })
  }
  report.problems.push(...document.problems)
  report.notices.push(...document.notices)
  // With a file missing, keys may be missing that stand in it: only what is certain is said.
  if (!document.isWhole) return { settings: undefined, problems: report.problems, notices: report.notices }

  const survey = surveyKeys(keys.configuration, document.root)
  const { block, problems } = readBlock(keys.configuration, document.root)
  report.problems.push(...survey.problems, ...problems)
  report.notices.push(...survey.notices)
  const settings = await readSettings({ value: block, at: document.root }, document, options, report)
  const notices = report.notices.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column)
  const { files, sources } = report
  return { settings: { ...settings, files: [...files], sources }, problems: report.problems, notices }
}

async function readSettings(
  top: Located<Block>,
  { root }: Document,
  options: LoadOptions,
  report: Report,
): Promise<Omit<Settings, 'files' | 'sources'>> {
  const { value: block } = top
  const { mode, urls } = readOcsp(block, report)
  const policies = readPolicies(block, mode)
  const pemFiles = createPemFiles(options.workingDirectory, report)
  const danger = look(block, keys.danger)?.value ?? noBlock
  const backends = createBackendReader(danger, pemFiles, report)
  const backend = await readBackend(top, options, backends, report)
  const responders = look(block, keys.responders)?.value ?? new Map()
  const overrides = await readOverrides(responders, urls, pemFiles, report)
  const at = options.at ?? systemClock.now()
  const { sites, handshakeTimeoutMs, connectionRateLimit, handshakeFirst } = await readSites(top, {
    files: pemFiles,
    report,
    mode,
    at,
    purpose: options.purpose ?? 'serve',
    overrides,
    policies,
    backend,
    backends,
    isBackendOfSites: isBackendOfSites(block, options),
  })
  // With certificates missing, none of them may be the one that an entry is for.
  const isAsking = sites.some(({ clientAuth }) => clientAuth?.ocspPeer)
  // Which certificates clients will show is not known.
  if (sites.length > 0 && !isAsking) overrides.noteUnused(report)
  const peerCache = await readPeerCache(block, isAsking, options.workingDirectory, report)
  const storeDir = await readStoreDir(block, options, report)
  const log = look(block, keys.log)?.value ?? noBlock
  const listeners = readListeners(block, options, report)
  const protocol = backends.readProtocol(block)
  const sendProxyProtocol = look(block, keys.sendProxyProtocol)?.value ?? 'none'
  return {
    file: root.file,
    workingDirectory: options.workingDirectory,
    listeners,
    sites,
    ...(backend !== undefined && { backend }),
    protocol,
    nats: readNats(block, protocol, handshakeFirst, report),
    acceptProxyProtocol: readNetworks(block, report),
    ...(sendProxyProtocol !== 'none' && { sendProxyProtocol }),
    workers: look(block, keys.workers)?.value ?? 1,
    admin: readAdmin(block, { file: root.file, storeDir, listeners, options, report }),
    alpn: valueOf(block, keys.alpn).map((each) => each.value),
    unknownSni: valueOf(block, keys.unknownSni),
    mode,
    policies,
    startTimeoutMs: valueOf(block, keys.startTimeout),
    gateMarginMs: look(block, keys.gateMargin)?.value ?? 600_000,
    ...(storeDir !== undefined && { storeDir }),
    keeper: { maxIntervalMs: valueOf(block, keys.maxInterval), maxStapleBytes: valueOf(block, keys.maxStaple) },
    verify: {
      allowedClockSkewMs: valueOf(block, keys.allowedClockSkew),
      maxAgeWithoutNextUpdateMs: valueOf(block, keys.maxAgeWithoutNextUpdate),
      maxValidityMs: valueOf(block, keys.maxValidity),
      delegateWithoutNocheck: valueOf(block, keys.delegateWithoutNocheck),
      danger: { allowSha1Signatures: valueOf(danger, keys.allowSha1Signatures) },
    },
    fetch: { privateAddresses: valueOf(block, keys.privateAddresses), proxy: valueOf(block, keys.httpProxy) },
    ...(peerCache && { peerCache }),
    responderRules: overrides.rules,
    timeouts: {
      handshakeTimeoutMs,
      idleTimeoutMs: valueOf(block, keys.idleTimeout),
      drainTimeoutMs: valueOf(block, keys.drainTimeout),
    },
    limits: {
      maxConnections: valueOf(block, keys.maxConnections),
      ...(connectionRateLimit !== undefined && { connectionRateLimit }),
    },
    log: { level: valueOf(log, keys.logLevel), format: valueOf(log, keys.logFormat) },
  }
}

function readOcsp(block: Block, report: Report): { mode: Mode; urls: readonly string[] | undefined } {
  const ocsp = valueOf(block, keys.ocsp)
  if (typeof ocsp === 'boolean') return { mode: ocsp ? 'auto' : 'never', urls: undefined }
  const url = look(ocsp, keys.url)
  const urls = look(ocsp, keys.urls)
  if (url !== undefined && urls !== undefined) {
    report.refuse(urls.at, 'ocsp.urls', {
      summary: 'stands beside `url`',
      found: 'url and urls',
      expected: 'one of them',
      hint: 'put all URLs into `urls`',
    })
  }
  const list = urls?.value.map((each) => each.value) ?? (url ? [url.value] : undefined)
  return { mode: valueOf(ocsp, keys.mode), urls: list }
}

function readPolicies(block: Block, mode: Mode): Policies {
  const byMode = defaultPolicies(mode)
  return {
    onStart: look(block, keys.onStart)?.value ?? byMode.onStart,
    onRevoked: look(block, keys.onRevoked)?.value ?? byMode.onRevoked,
    onUnknown: look(block, keys.onUnknown)?.value ?? byMode.onUnknown,
    onStale: look(block, keys.onStale)?.value ?? byMode.onStale,
  }
}

/** `--listen`, else `listen`, else `host` and `port`. */
function readListeners(block: Block, options: LoadOptions, report: Report): readonly ListenerSettings[] {
  if (options.listen !== undefined)
    return readOption('--listen', options.listen, keys.listen, report)?.value.map(valueIn) ?? []
  const listen = look(block, keys.listen)
  for (const key of [keys.host, keys.port]) {
    const given = look<unknown>(block, key)
    if (listen && given) report.note(given.at, key.name, 'has no effect here: `listen` counts')
  }
  if (!listen && !isGiven(block, keys.listen)) {
    const [byDefault] = valueOf(block, keys.listen).map(valueIn)
    const { host = '0.0.0.0', port = 4222 } = byDefault ?? {}
    return [{ host: look(block, keys.host)?.value ?? host, port: look(block, keys.port)?.value ?? port }]
  }
  const listeners: ListenerSettings[] = []
  for (const { value, at } of listen?.value ?? []) {
    const isTaken = value.port !== 0 && listeners.some((each) => each.host === value.host && each.port === value.port)
    if (!isTaken) listeners.push(value)
    else {
      report.refuse(at, 'listen', {
        summary: 'the same address twice',
        found: `${value.host}:${value.port}`,
        expected: 'each address once',
        hint: 'remove one of them',
      })
    }
  }
  return listeners
}

/** `--backend`, else `backend`; one is needed unless every site has its own. */
async function readBackend(
  top: Located<Block>,
  options: LoadOptions,
  backends: BackendReader,
  report: Report,
): Promise<BackendSettings | undefined> {
  const option =
    options.backend === undefined ? undefined : readOption('--backend', options.backend, keys.backend, report)
  const given = options.backend === undefined ? look(top.value, keys.backend) : option
  if (given !== undefined) return backends.read(given, 'backend')
  if (options.backend !== undefined || isGiven(top.value, keys.backend)) return undefined
  if (isBackendOfSites(top.value, options)) return undefined
  return report.refuse(top.at, 'backend', {
    summary: 'is missing: there is nowhere to pass connections on to',
    found: 'neither `backend` in the file nor `--backend`',
    expected: 'tcp://host:port, tls://host:port or nats://host:port',
    hint: 'add `backend: "tcp://127.0.0.1:8080"` to the file, or pass --backend tcp://127.0.0.1:8080',
  })
}

/** Networks whose word about the client's address is believed. */
function readNetworks(block: Block, report: Report): readonly string[] {
  const given = look(block, keys.acceptProxyProtocol)?.value ?? []
  for (const { value, at } of given) {
    if (value.endsWith('/0'))
      report.note(at, 'accept_proxy_protocol', `${value} is everybody: any client can claim any address`)
  }
  return given.map(valueIn)
}

function isBackendOfSites(block: Block, options: LoadOptions): boolean {
  if (options.backend !== undefined || isGiven(block, keys.backend)) return false
  return isGiven(block, keys.sites) && !isGiven(block, keys.tls)
}

/** An option of the command line is a text, read as its key's value would be; with commas, as a list. */
function readOption<T>(option: string, written: string, key: Key<T>, report: Report): Located<T> | undefined {
  const place: Place = { file: option, line: 1, column: 1 }
  const items = written.split(',').map((each): Value => {
    return { kind: 'string', style: 'double', value: each.trim(), source: each.trim(), ...place }
  })
  const [first] = items as [Value]
  const value: Value = items.length === 1 ? first : { kind: 'list', source: written, items, ...place }
  const entry = { key: key.name, place, value, isVariable: false }
  const root: Value = { kind: 'map', source: '', ...place, entries: new Map([[key.name, entry]]) }
  const { block, problems } = readBlock(keys.configuration, root)
  for (const problem of problems) report.refuse(problem, problem.path, problem)
  return problems.length === 0 ? look(block, key) : undefined
}

async function readStoreDir(block: Block, options: LoadOptions, report: Report): Promise<string | undefined> {
  const own = look(block, keys.storeDir)
  const jetStream = look(block, keys.jetStream)?.value
  const theirs = typeof jetStream === 'object' ? look(jetStream, keys.jetStreamStoreDir) : undefined
  if (own !== undefined && theirs !== undefined) {
    report.refuse(theirs.at, 'jetstream.store_dir', {
      summary: 'stands beside the top-level `store_dir`',
      found: `${own.value} and ${theirs.value}`,
      expected: 'one of them, as in nats-server',
      hint: 'remove one of them',
    })
  }
  const given = own ?? theirs
  if (given === undefined) return undefined
  const directory = resolve(options.workingDirectory, given.value)
  if (options.purpose === 'look') return directory
  const complaint = await examineStoreDir(directory)
  if (complaint !== undefined) report.refuse(given.at, own ? 'store_dir' : 'jetstream.store_dir', complaint)
  return directory
}

function valueIn<T>(located: Located<T>): T {
  return located.value
}

const noBlock: Block = { entries: new Map() }
