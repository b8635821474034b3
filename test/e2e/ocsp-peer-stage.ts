/** `tls { ocsp_peer }` as a user runs it: the program before a backend, users of the mini CA before the program. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createPeerDesk } from '../../src/run/peers/desk.ts'
import { type Backend, pageText, startBackend } from '../kit/backend.ts'
import { type OpenConnection, openWithNode } from '../kit/clients/node.ts'
import { manualClock } from '../kit/clock.ts'
import { type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import type { Level, MiniCa, UserName } from '../kit/mini-ca.ts'
import { peerPolicy } from '../kit/peer-policy.ts'
import type { Behaviour, ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

export type Version = '1.2' | '1.3'
export const versions: readonly Version[] = ['1.2', '1.3']

export interface FrontOptions {
  /** `ocsp_peer` as it stands in `tls`; default on. Empty: absent. */
  readonly peer?: string
  /** Further top-level lines. */
  readonly lines?: readonly string[]
  /** Further lines of `tls`. */
  readonly tls?: readonly string[]
  readonly backend?: string
  /** Where `_rc_` is. */
  readonly cwd?: string
}

export interface Front {
  readonly daemon: RunningDaemon
  readonly port: number
  readonly backend: Backend
  /** Where `_rc_` is. */
  readonly cwd: string
  readonly config: string
  /** What a user gets in either version of TLS, one after the other: `in` or `refused`. */
  visit(user: UserName, version?: Version): Promise<'in' | 'refused'>
  connect(user: UserName, version?: Version, options?: object): Promise<OpenConnection>
  status(): Promise<StatusJson>
  metrics(): Promise<string>
}

export interface StatusJson {
  readonly peerCache?: Readonly<Record<string, unknown>>
  readonly front: Readonly<Record<string, number>>
  readonly workers: readonly { readonly pid: number; readonly state: string }[]
}

/** Starts one; it ends with the test. */
export async function startFront(ca: MiniCa, options: FrontOptions = {}): Promise<Front> {
  const { peer = 'ocsp_peer: true', lines = [], tls = ['timeout: 5'], cwd = temporaryDirectory('front') } = options
  const backend = await startBackend()
  const http = await freePort()
  const config = `listen: "127.0.0.1:0"
backend: "${options.backend ?? backend.url}"
http: "127.0.0.1:${http}"
control_socket: "${join(cwd, 'control.sock')}"
${lines.join('\n')}
tls {
  cert_file: "${ca.server.certificateFile}"
  key_file: "${ca.server.keyFile}"
  ca_file: "${ca.rootFile}"
  verify: true
  ${peer}
  ${tls.join('\n  ')}
}
`
  const daemon = await startDaemon(config, { cwd })
  const port = await daemon.opened()
  const connect: Front['connect'] = (user, version = '1.3', more = {}) => {
    const { chainPem, key } = ca.users[user]
    return openWithNode({ port, rootFile: ca.rootFile, version, options: { cert: chainPem, key, ...more } })
  }
  const read = async (path: string) => (await fetch(`http://127.0.0.1:${http}${path}`)).text()
  return {
    daemon,
    port,
    backend,
    cwd,
    config,
    connect,
    async visit(user, version) {
      try {
        const connection = await connect(user, version)
        const page = await connection.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
        connection.socket.destroy()
        if (!page.includes('200 OK') && !page.includes(pageText)) throw new Error(`not the page: ${page}`)
        return 'in'
      } catch {
        return 'refused'
      }
    },
    status: async () => JSON.parse(await read('/api/status')) as StatusJson,
    metrics: () => read('/metrics'),
  }
}

/** Leaves in a directory what an earlier run had learned of a user, which is out of date by now. */
export async function leaveCache(ca: MiniCa, user: UserName, behaviour: Behaviour, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const clock = manualClock(new Date(Date.now() - 7_200_000))
  const responders = await ca.startResponders({ clock })
  await responders.first.behave(behaviour, ca.users[user].serialNumber)
  const settings = {
    fetch: { privateAddresses: 'allow', proxy: 'none' },
    verify: {
      allowedClockSkewMs: 300_000,
      maxAgeWithoutNextUpdateMs: 3_600_000,
      maxValidityMs: 864_000_000,
      delegateWithoutNocheck: 'accept',
      danger: { allowSha1Signatures: false },
    },
    peerCache: { type: 'local', directory, isRevokedPreserved: true, saveIntervalMs: 300_000 },
  } as const
  const desk = createPeerDesk({ clock, say: () => {} }, settings)
  const question = {
    chain: ca.chainOf(user),
    isProven: true,
    policy: { ...peerPolicy, isWarnOnly: true },
  }
  const { reason } = await desk.judge(question, new AbortController().signal)
  if (reason === 'unavailable' || reason === 'answer-refused') throw new Error(`nothing learned: ${reason}`)
  await desk.close()
  await closeAll(responders)
}

export async function closeAll(responders: Readonly<Record<Level, ScriptedResponder>>): Promise<void> {
  await Promise.all(Object.values(responders).map((responder) => responder.close()))
}
