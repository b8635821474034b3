/**
 * Reloads by SIGHUP: what changes, what stays, and that one that fails in any way changes nothing and says why. Those of
 * nats-server's own tests are here too, under their names (docs/nats-server-tests.md).
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { pageText, startBackend } from '../kit/backend.ts'
import { connectWithNode, openWithNode } from '../kit/clients/node.ts'
import { programFile, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { ask } from '../kit/http.ts'
import { endsWithTest, endWithFile } from '../kit/lifetime.ts'
import { runProgram } from '../kit/program.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { placeByRename, reload, type Sight, see, sightOf } from './renewal.ts'
import { type Stage, type StartOptions, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })
endWithFile()

const page = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

interface Scene {
  readonly stage: Stage
  readonly leaf: Leaf
  readonly daemon: RunningDaemon
  readonly port: number
  look(): Promise<Sight>
}

async function start(
  ocsp?: string,
  { leaf: leafOptions, ...options }: StartOptions & { leaf?: LeafOptions } = {},
): Promise<Scene> {
  const stage = await setStage({ thisUpdateAgeMs: 60_000 })
  const leaf = await stage.issue(leafOptions)
  const daemon = await stage.start(leaf, ocsp, options)
  const port = await daemon.opened()
  return { stage, leaf, daemon, port, look: () => see({ port, rootFile: leaf.rootFile }) }
}

/** Puts another leaf into the configuration, and other values of keys. */
function replace(one: Leaf, other: Leaf, ...pairs: readonly [string | RegExp, string][]) {
  return (text: string) =>
    pairs.reduce(
      (edited, [from, to]) => edited.replace(from, to),
      text.replace(one.certificateFile, other.certificateFile).replace(one.keyFile, other.keyFile),
    )
}

describe.concurrent('nats-server: a reload', () => {
  test('TestOCSPReloadRotateTLSCertWithNoURL: from U1 to SR, which nobody answers for: it comes in without a staple, and that is said', async () => {
    const { stage, leaf, daemon, look } = await start()
    const other = await stage.issue({ responderURL: null })
    expect(await look()).toEqual(sightOf(leaf))
    const { message } = await reload(daemon, replace(leaf, other))
    expect(message).toMatch(
      /^reloaded \(SIGHUP\)\n.* is Must-Staple and can never be stapled \(it names no OCSP responder/,
    )
    expect(await look()).toEqual(sightOf(other, 'none'))
  })

  test('the same in mode must, where nothing would start with it: not reloaded', async () => {
    const { stage, leaf, daemon, look } = await start('{ mode: must }')
    const other = await stage.issue({ responderURL: null })
    const { message } = await reload(daemon, replace(leaf, other))
    expect(message).toMatch(/^not reloaded \(SIGHUP\); what was in force goes on\n.* can never be stapled/)
    expect(await look()).toEqual(sightOf(leaf))
  })

  test('TestOCSPReloadRotateTLSCertDisableMustStaple: from U1 to S, no staple; back to U1, a newer one, as on disk', async () => {
    const storeDir = temporaryDirectory('store')
    const { stage, leaf, daemon, port, look } = await start(undefined, { storeDir })
    const other = await stage.issue({ mustStaple: false, responderURL: null })
    const { stapleBytes } = await connectWithNode({ port, rootFile: leaf.rootFile })
    await reload(daemon, replace(leaf, other))
    expect(await look()).toEqual(sightOf(other, 'none'))
    await stage.responder.behave({ kind: 'good', thisUpdateAgeMs: 0 })
    await reload(daemon, replace(other, leaf))
    // SIGHUP also asks again, and what is served is what was saved.
    const file = join(storeDir, 'ocsp', certificateKey(leaf.der))
    let newer: Uint8Array | undefined
    for (let tries = 0; tries < 200; tries++) {
      newer = (await connectWithNode({ port, rootFile: leaf.rootFile })).stapleBytes
      const saved = await readFile(file)
      if (newer && !Buffer.from(newer).equals(stapleBytes as Uint8Array) && saved.equals(newer)) break
    }
    expect(new Uint8Array(await readFile(file))).toEqual(newer)
    expect(newer).not.toEqual(stapleBytes)
    expect(await look()).toEqual(sightOf(leaf))
  })

  test('TestOCSPReloadRotateTLSCertEnableMustStaple: from S to U1: stapled from its first handshake on', async () => {
    const { stage, leaf, daemon, look } = await start(undefined, { leaf: { mustStaple: false, responderURL: null } })
    const other = await stage.issue()
    expect(await look()).toEqual(sightOf(leaf, 'none'))
    await reload(daemon, replace(leaf, other))
    expect(await look()).toEqual(sightOf(other))
  })

  test('TestOCSPCustomConfigReloadDisable: from always with S to never with U1: no staple, and nobody is asked any more', async () => {
    const { stage, leaf, daemon, look } = await start('{ mode: always }', { leaf: { mustStaple: false } })
    const other = await stage.issue()
    expect(await look()).toEqual(sightOf(leaf))
    const asked = stage.responder.count
    const { message } = await reload(daemon, replace(leaf, other, ['always', 'never']))
    expect(message).toBe('reloaded (SIGHUP)')
    expect(await look()).toEqual(sightOf(other, 'none'))
    await daemon.waitForLine(/mode never staples nothing/)
    expect(stage.responder.requests.slice(asked).map((each) => each.certID?.serialNumber)).not.toContain(
      other.certificate.serialNumber,
    )
  })

  test('TestOCSPCustomConfigReloadEnable: from never with U1 to always with S and a url: a staple', async () => {
    const { stage, leaf, daemon, look } = await start('{ mode: never }')
    const other = await stage.issue({ mustStaple: false, responderURL: null })
    expect(await look()).toEqual(sightOf(leaf, 'none'))
    await reload(daemon, replace(leaf, other, ['mode: never', `mode: always, url: "${stage.responder.url}"`]))
    expect(await look()).toEqual(sightOf(other))
  })

  test('the same certificate, from never to always: stapled at once', async () => {
    const { leaf, daemon, look } = await start('{ mode: never }')
    await reload(daemon, (text) => text.replace('never', 'always'))
    expect(await look()).toEqual(sightOf(leaf))
  })
})

describe.concurrent('a reload that fails changes nothing and says why', () => {
  interface Fault {
    readonly ocsp?: string
    readonly lines?: readonly string[]
    /** Breaks something; answers how the configuration is edited. */
    breaks(scene: Scene): Promise<(text: string) => string>
    readonly says: RegExp
  }

  const newcomer = (leaf: Leaf, name: string) =>
    `sites [ { names: ["${name}"], tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" } } ]\n`

  const faults: Readonly<Record<string, Fault>> = {
    'a brace that is missing': {
      breaks: async () => (text) => text.replace(/\}\s*$/, ''),
      says: /\n\S+staplewright\.conf:\d+:\d+: .*\n {2}found: .*\n {2}expected: .*\n {2}hint: /,
    },
    'two keys with bad values, both told': {
      breaks: async () => (text) => `${text}idle_timeout: "soon"\nunknown_sni: maybe\n`,
      says: /:\d+:\d+: idle_timeout: [^]*hint: [^]*:\d+:\d+: unknown_sni: [^]*hint: /,
    },
    'an unknown key': {
      breaks: async () => (text) => `${text}backends: 1\n`,
      says: /:\d+:\d+: backends: [^]*hint: /,
    },
    'a certificate file that is not there': {
      breaks:
        async ({ leaf }) =>
        (text) =>
          text.replace(leaf.certificateFile, '/nowhere/tls.crt'),
      says: /:\d+:\d+: tls\.cert_file: cannot be read: no such file\n {2}found: \/nowhere\/tls\.crt[^]*hint: /,
    },
    'a certificate file that holds none': {
      breaks: async ({ leaf }) => {
        const file = join(temporaryDirectory('bad'), 'tls.crt')
        await writeFile(file, 'no certificate')
        return (text) => text.replace(leaf.certificateFile, file)
      },
      says: /:\d+:\d+: tls\.cert_file: holds no certificates that can be read[^]*hint: /,
    },
    'a certificate that has expired': {
      breaks: async ({ stage, leaf }) => {
        const dates = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) }
        return replace(leaf, await stage.issue(dates))
      },
      says: /:\d+:\d+: tls\.cert_file: the certificate has expired[^]*hint: /,
    },
    'a key of another certificate': {
      breaks: async ({ stage, leaf }) => {
        const other = await stage.issue()
        return (text) => text.replace(leaf.keyFile, other.keyFile)
      },
      says: /:\d+:\d+: tls\.key_file: the private key belongs to no certificate of cert_file[^]*hint: /,
    },
    'a port that is taken': {
      breaks: async () => {
        const taken = await freePort()
        const server = createServer().listen(taken, '127.0.0.1')
        endsWithTest(() => server.close())
        const another = await freePort()
        return (text) =>
          text.replace(/listen: .*/, `listen: ["127.0.0.1:0", "127.0.0.1:${another}", "127.0.0.1:${taken}"]`)
      },
      says: /\ncannot listen on 127\.0\.0\.1:\d+: another program listens there/,
    },
    'a new site whose staple is missing under on_start: require': {
      lines: ['on_start: require'],
      breaks: async ({ stage }) => {
        const other = await stage.issue({ name: 'new.test', san: ['new.test'] })
        await stage.responder.behave('httpError', other.certificate.serialNumber)
        return (text) => `${text}${newcomer(other, 'new.test')}`
      },
      says: /\nno staple \(on_start: require\) for \S+chain\.pem: /,
    },
    'a new site whose staple is missing under on_start: exit': {
      lines: ['on_start: exit'],
      breaks: async ({ stage }) => {
        const other = await stage.issue({ name: 'new.test', san: ['new.test'] })
        await stage.responder.behave('httpError', other.certificate.serialNumber)
        return (text) => `${text}${newcomer(other, 'new.test')}`
      },
      says: /\nno staple for \S+chain\.pem: /,
    },
    'a new site whose certificate is revoked, in mode must': {
      ocsp: '{ mode: must }',
      breaks: async ({ stage }) => {
        const other = await stage.issue({ name: 'new.test', san: ['new.test'] })
        await stage.responder.behave('revoked', other.certificate.serialNumber)
        return (text) => `${text}${newcomer(other, 'new.test')}`
      },
      says: /\n\S+chain\.pem is revoked/,
    },
    'from mode never to must, with the responder down': {
      ocsp: '{ mode: never }',
      breaks: async ({ stage }) => {
        await stage.responder.behave('httpError')
        return (text) => text.replace('never', 'must')
      },
      says: /\nno staple \(on_start: require\) for /,
    },
    'a store and settings with which the staple that is held cannot be had': {
      breaks: async ({ stage }) => {
        await stage.responder.behave('httpError')
        return (text) => `${text}store_dir: "${temporaryDirectory('other')}"\n`
      },
      says: /\nthe staple of \S+chain\.pem is held, and could not be had again with the new settings/,
    },
  }

  test.each(Object.entries(faults))('%s', async (_, { ocsp, lines = [], breaks, says }) => {
    const scene = await start(ocsp, { lines })
    const { stage, daemon, look, port, leaf } = scene
    const before = await look()
    const held = await openWithNode({ port, rootFile: leaf.rootFile })
    const good = await readFile(daemon.configFile, 'utf8')
    const { message, level } = await reload(daemon, await breaks(scene))
    expect(level).toBe('error')
    expect(message).toMatch(/^not reloaded \(SIGHUP\); what was in force goes on\n/)
    expect(message).toMatch(says)
    expect(await look()).toEqual(before)
    expect(await held.ask(page)).toContain(pageText)
    expect(daemon.program.hasEnded).toBe(false)
    // And it is not in the way of the next one.
    await stage.responder.behave('good')
    expect((await reload(daemon, () => good)).message).toBe('reloaded (SIGHUP)')
    expect(await look()).toEqual(before)
  })
})

describe.concurrent('addresses', () => {
  /** On addresses that are given. */
  async function startOn(listen: string) {
    const stage = await setStage()
    const leaf = await stage.issue()
    const config = (listen: string) => `listen: ${listen}
backend: "${stage.backend.url}"
tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" }
`
    const daemon = await startDaemon(config(listen))
    await daemon.opened()
    return {
      daemon,
      leaf,
      listenOn: (listen: string) => reload(daemon, () => config(listen)),
      seeOn: (port: number) => see({ port, rootFile: leaf.rootFile }),
      openOn: (port: number) => openWithNode({ port, rootFile: leaf.rootFile }),
    }
  }

  test('a new one is open when the reload is done, and one that stays was never closed', async () => {
    const [stays, comes] = [await freePort(), await freePort()]
    const { leaf, listenOn, seeOn, openOn } = await startOn(`"127.0.0.1:${stays}"`)
    const held = await openOn(stays)
    expect((await seeOn(comes)).refusedBecause).toBe('ECONNREFUSED')
    await listenOn(`["127.0.0.1:${stays}", "127.0.0.1:${comes}"]`)
    expect(await seeOn(comes)).toEqual(sightOf(leaf))
    expect(await seeOn(stays)).toEqual(sightOf(leaf))
    expect(await held.ask(page)).toContain(pageText)
  })

  test('one that is gone takes nobody new, and those who came by it live on', async () => {
    const [goes, comes] = [await freePort(), await freePort()]
    const { leaf, daemon, listenOn, seeOn, openOn } = await startOn(`"127.0.0.1:${goes}"`)
    const held = await openOn(goes)
    await listenOn(`"127.0.0.1:${comes}"`)
    expect((await seeOn(goes)).refusedBecause).toBe('ECONNREFUSED')
    expect(await seeOn(comes)).toEqual(sightOf(leaf))
    expect(await held.ask(page)).toContain(pageText)
    // It is among those that are waited for at the end.
    daemon.program.kill('SIGTERM')
    await daemon.waitForLine(/^stopping: SIGTERM/)
    expect(await held.ask(page)).toContain(pageText)
    held.socket.end()
    expect(await daemon.exitCode()).toBe(0)
  })

  test('one that has not begun its handshake at the swap is served all the same', async () => {
    const port = await freePort()
    const { leaf, listenOn, seeOn } = await startOn(`"127.0.0.1:${port}"`)
    const early = connect(port, '127.0.0.1')
    endsWithTest(() => early.destroy())
    await new Promise((resolve) => early.once('connect', resolve))
    await listenOn(`"127.0.0.1:${port}"`)
    const { connected, staple } = await connectWithNode({ port, rootFile: leaf.rootFile, options: { socket: early } })
    expect({ connected, staple }).toEqual({ connected: true, staple: { present: true } })
    expect(await seeOn(port)).toEqual(sightOf(leaf))
  })
})

describe.concurrent('another store, which makes another keeper', () => {
  test('staples go on, and are saved there', async () => {
    const { leaf, daemon, look } = await start()
    const storeDir = temporaryDirectory('store')
    const { message } = await reload(daemon, (text) => `${text}store_dir: "${storeDir}"\n`)
    expect(message).toBe('reloaded (SIGHUP)')
    expect(await look()).toEqual(sightOf(leaf))
    await vi.waitUntil(() => existsSync(join(storeDir, 'ocsp', certificateKey(leaf.der))), { timeout: 10_000 })
    // Also when the keeper of before is closed.
    expect(await daemon.stop()).toBe(0)
  })

  test('a certificate behind its gate stays there, and the old one keeps its staple', async () => {
    const lines = ['max_interval: "1h"']
    const { stage, leaf, daemon, look } = await start(undefined, { lines })
    const other = await stage.issue()
    await stage.responder.behave('httpError', other.certificate.serialNumber)
    await reload(daemon, replace(leaf, other))
    expect(await look()).toEqual(sightOf(leaf))
    const { message } = await reload(daemon, (text) => text.replace('max_interval: "1h"', 'max_interval: "2h"'))
    expect(message).toMatch(/^reloaded \(SIGHUP\)\n.* waits behind the old certificate: /)
    expect(await look()).toEqual(sightOf(leaf))
    await stage.responder.behave('good', other.certificate.serialNumber)
    daemon.refresh()
    await daemon.waitForLine(/the new certificate is shown from now on$/)
    expect(await look()).toEqual(sightOf(other))
  })
})

describe.concurrent('what goes on over a reload', () => {
  test('connections: those that are open keep their certificate and their backend', async () => {
    const { stage, leaf, daemon, port, look } = await start()
    const held = await openWithNode({ port, rootFile: leaf.rootFile })
    const [other, backend] = [await stage.issue(), await startBackend()]
    await reload(daemon, replace(leaf, other, [stage.backend.url, backend.url]))
    expect(await held.ask(page)).toContain(pageText)
    expect(backend.connections).toBe(0)
    expect(stage.backend.requests).toEqual(['GET /'])
    expect(await look()).toEqual(sightOf(other))
    const next = await openWithNode({ port, rootFile: leaf.rootFile })
    expect(await next.ask(page)).toContain(pageText)
    expect(backend.requests).toEqual(['GET /'])
  })

  test.each(['1.2', '1.3'] as const)('sessions: TLS %s resumes what was begun before', async (version) => {
    const { leaf, daemon, port } = await start()
    const target = { port, rootFile: leaf.rootFile, version }
    const first = await openWithNode(target)
    await first.ask(page)
    const session = first.sessions.at(-1)
    expect(first.isReused).toBe(false)
    await reload(daemon, (text) => `${text}idle_timeout: "1h"\n`)
    const second = await openWithNode({ ...target, options: { session } })
    expect(second.isReused).toBe(true)
    expect(await second.ask(page)).toContain(pageText)
  })
})

describe.concurrent('certificates', () => {
  test('from RSA to EC in one file, with the responder down for the new one: the RSA one stays, stapled', async () => {
    const stage = await setStage()
    const rsa = await (await createAuthority({ keyType: 'p256' })).issueLeaf({
      keyType: 'rsa2048',
      mustStaple: true,
      responderURL: stage.responder.url,
    })
    const ec = await stage.issue()
    const { files, put } = await placeByRename(rsa)
    const daemon = await stage.start(files)
    const target = { port: await daemon.opened(), rootFile: rsa.rootFile }
    await stage.responder.behave('httpError', ec.certificate.serialNumber)
    await put(ec)
    await daemon.waitForLine(/waits behind the old certificate/)
    expect(await see(target)).toEqual(sightOf(rsa))
    await stage.responder.behave('good', ec.certificate.serialNumber)
    daemon.refresh()
    await daemon.waitForLine(/the new certificate is shown from now on$/)
    expect(await see(target)).toEqual(sightOf(ec))
  })

  test('one file in two sites: each shows the old one until the new one has its staple', async () => {
    const stage = await setStage()
    const both = { san: ['localhost', 'a.test', 'b.test'] }
    const [one, two] = [await stage.issue(both), await stage.issue(both)]
    const { files, put } = await placeByRename(one)
    const tls = `tls { cert_file: "${files.certificateFile}", key_file: "${files.keyFile}", ca_file: "${files.caFile}" }`
    const daemon = await startDaemon(`listen: "127.0.0.1:0"
backend: "${stage.backend.url}"
sites [ { names: ["a.test"], ${tls} }, { names: ["b.test"], ${tls} } ]
`)
    const port = await daemon.opened()
    const seeAs = (name: string) => see({ port, rootFile: one.rootFile, name })
    await stage.responder.behave('httpError', two.certificate.serialNumber)
    await put(two)
    await daemon.waitForLine(/waits behind the old certificate/)
    expect([await seeAs('a.test'), await seeAs('b.test')]).toEqual([sightOf(one), sightOf(one)])
    await stage.responder.behave('good', two.certificate.serialNumber)
    daemon.refresh()
    await daemon.waitForLine(/the new certificate is shown from now on$/)
    expect([await seeAs('a.test'), await seeAs('b.test')]).toEqual([sightOf(two), sightOf(two)])
  })

  test('one that is removed is forgotten: it is not told of, and nobody is asked about it', async () => {
    const http = await freePort()
    const { stage, leaf, daemon, look } = await start(undefined, { lines: [`http_port: ${http}`] })
    const other = await stage.issue()
    await reload(daemon, replace(leaf, other, [/tls \{/, 'tls {\n  timeout: 0.1']))
    expect(await look()).toEqual(sightOf(other))
    const serials = async () => {
      const { staples } = JSON.parse((await ask(http, '/api/staples')).text)
      return staples.map((each: { serialNumber: string }) => BigInt(`0x${each.serialNumber}`))
    }
    expect(await serials()).toEqual([other.certificate.serialNumber])
    // A handshake that began before may take its time; then it is gone.
    const asked = async () =>
      (await runProgram(process.execPath, [programFile, 'refresh', '-c', daemon.configFile])).stdout
    expect(await asked()).toContain(other.certificateFile)
    const deadline = performance.now() + 20_000
    let text = await asked()
    while (text.includes(leaf.certificateFile) && performance.now() < deadline) text = await asked()
    expect(text).toContain(other.certificateFile)
    expect(text).not.toContain(leaf.certificateFile)
  })
})

describe.concurrent('with closed doors', () => {
  test('a reload is what they open with: another responder, another certificate', async () => {
    const stage = await setStage()
    const [leaf, other] = [await stage.issue({ responderURL: 'http://127.0.0.1:1/' }), await stage.issue()]
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['start_timeout: "300ms"'] })
    await daemon.waitForLine(/^the doors stay closed/)
    await reload(daemon, replace(leaf, other))
    expect(await see({ port: await daemon.opened(), rootFile: leaf.rootFile })).toEqual(sightOf(other))
  })

  test('a reload onto a port that is taken is not taken, and the doors open as they were to', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    await stage.responder.behave('httpError')
    const daemon = await stage.start(leaf, '{ mode: must }', { lines: ['start_timeout: "300ms"'] })
    await daemon.waitForLine(/^the doors stay closed/)
    const { message } = await reload(daemon, (text) => text.replace('127.0.0.1:0', `127.0.0.1:${stage.backend.port}`))
    expect(message).toMatch(/^not reloaded \(SIGHUP\).*\ncannot listen on /)
    await stage.responder.behave('good')
    expect(await see({ port: await daemon.opened(), rootFile: leaf.rootFile })).toEqual(sightOf(leaf))
  })

  test('a certificate that is replaced while its successor is found revoked ends nothing', async () => {
    const stage = await setStage()
    const [leaf, other, another] = [
      await stage.issue(),
      await stage.issue(),
      await stage.issue({ name: 'x.test', san: ['x.test'] }),
    ]
    await stage.responder.behave('httpError', another.certificate.serialNumber)
    await stage.responder.behave('revoked', other.certificate.serialNumber)
    const daemon = await startDaemon(`listen: "127.0.0.1:0"
backend: "${stage.backend.url}"
ocsp { mode: must }
start_timeout: "300ms"
sites [
  { names: ["localhost"], tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" } }
  { names: ["x.test"], tls { cert_file: "${another.certificateFile}", key_file: "${another.keyFile}", ca_file: "${leaf.caFile}" } }
]
`)
    await daemon.waitForLine(/^the doors stay closed/)
    await reload(daemon, replace(leaf, other))
    await daemon.waitForLine(/the CA says REVOKED/)
    await stage.responder.behave('good', another.certificate.serialNumber)
    const port = await daemon.opened()
    expect(await see({ port, rootFile: leaf.rootFile })).toEqual(sightOf(leaf))
    expect(await see({ port, rootFile: leaf.rootFile, name: 'x.test' })).toEqual(sightOf(another))
  })
})

test.concurrent('SIGHUP while it ends changes nothing, and the end comes as it was to', async () => {
  const { stage, leaf, daemon, port } = await start()
  const held = await openWithNode({ port, rootFile: leaf.rootFile })
  daemon.program.kill('SIGTERM')
  await daemon.waitForLine(/^stopping: SIGTERM/)
  const { message } = await reload(daemon, replace(leaf, await stage.issue()))
  expect(message).toMatch(/^not reloaded \(SIGHUP\).*\nit is ending/)
  expect(await held.ask(page)).toContain(pageText)
  held.socket.end()
  expect(await daemon.exitCode()).toBe(0)
})

test.concurrent('settings that need another start are said so, and all else of the reload counts', async () => {
  const { leaf, daemon, look } = await start('{ mode: never }')
  await reload(daemon, (text) => `${text.replace('never', 'always')}log { level: warn }\n`)
  const { level } = await daemon.waitForLine(/^log: the change counts from the next start on/)
  expect(level).toBe('warn')
  expect(await look()).toEqual(sightOf(leaf))
})
