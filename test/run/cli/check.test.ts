/** `staplewright check` from its command line to its exit code, over real sockets, within this process. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { startBadStapler } from '../../kit/bad-stapler.ts'
import { type CommandOptions, runCommand } from '../../kit/io.ts'
import { startOddListener } from '../../kit/odd-listener.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let key: string
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ mustStaple: true })
  key = await readFile(leaf.keyFile, 'utf8')
})

const day = 86_400_000

function staple(of: Leaf = leaf, leftMs = 5 * day): Uint8Array {
  const certID = createCertID(of.certificate, of.issuer, 'sha1')
  const thisUpdate = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 2 * day)
  const nextUpdate = new Date(thisUpdate.getTime() + 2 * day + leftMs)
  return signOcspResponse({
    signer: authority.intermediate,
    responses: [{ certID, certStatus: 'good', thisUpdate, nextUpdate }],
    producedAt: thisUpdate,
  })
}

/** A server that staples these bytes. */
async function serve(bytes: Uint8Array | null = staple()): Promise<string> {
  const { port } = await startBadStapler({ cert: leaf.chainPem, key, staple: bytes })
  return `localhost:${port}`
}

async function check(words: readonly string[], options: CommandOptions = {}) {
  return await runCommand(['check', '--no-phone-home', '--ca-file', leaf.rootFile, ...words], options)
}

async function checkJson(words: readonly string[], options: CommandOptions = {}) {
  const { code, stdout } = await check(['--json', ...words], options)
  return { code, told: JSON.parse(stdout) }
}

describe('the exit code is that of a monitoring plugin, and the first line says why', () => {
  test('0: the staple is there and good', async () => {
    const target = await serve()
    const { code, stdout, stderr } = await check([target])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      new RegExp(`^ok: ${target}: stapled on \\d of \\d connections, good for (4 days 23 h|5 days)`),
    )
  })

  test('1: it would not survive a day', async () => {
    const { code, stdout } = await check([await serve(staple(leaf, day / 2))])
    expect(stdout).toMatch(/^warning: localhost:\d+: /)
    expect(code).toBe(1)
  })

  test('2: a Must-Staple certificate without a staple', async () => {
    const { code, stdout } = await check([await serve(null)])
    expect(code).toBe(2)
    expect(stdout).toMatch(/^critical: localhost:\d+: .*Must-Staple/)
  })

  test('3: nobody listens, nothing is spoken, or no TLS', async () => {
    const silent = await startOddListener(() => {})
    const talkative = await startOddListener((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const garbage = await startOddListener((socket) => socket.write(Buffer.alloc(100_000, 0xff)))
    for (const { port } of [silent, talkative, garbage]) {
      const { code, stdout, stderr } = await check([`127.0.0.1:${port}`, '--timeout', '300ms'])
      expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
      expect(stdout).toMatch(new RegExp(`^unknown: 127\\.0\\.0\\.1:${port}: .+\n`))
      expect(stdout).not.toMatch(/\n\s+at /)
    }
  })

  test('3: the name is not known', async () => {
    const { code, stdout } = await check(['no-such-host.invalid'])
    expect(code).toBe(3)
    expect(stdout.split('\n')[0]).toMatch(/^unknown: no-such-host\.invalid: .*not known|no address/)
  })

  test('of several it is the worst: critical, then unknown, then ok', async () => {
    const [good, bad, gone] = [await serve(), await serve(null), 'no-such-host.invalid']
    expect((await check([good, gone])).code).toBe(3)
    const { code, stdout } = await check([good, gone, bad])
    expect(code).toBe(2)
    expect(stdout).toMatch(/^critical: 3 targets: 1 critical, 1 unknown, 1 ok; localhost/)
  })
})

describe('what is asked for', () => {
  test('targets come from words, a file and standard input, each once, and are told in this order', async () => {
    const [one, two, three] = [await serve(), await serve(), await serve()]
    const file = join(temporaryDirectory('check'), 'targets')
    await writeFile(file, `# mine\n${one}\n${two} servername=localhost\n`)
    const { told } = await checkJson([three, '-', '-f', file], { stdin: `${one} # again\n` })
    expect(told.targets.map(({ target }: { target: string }) => target)).toEqual([
      three,
      one,
      `${two} servername=localhost`,
    ])
  })

  test('--servername is what the certificate must be for', async () => {
    const { told } = await checkJson([await serve(), '--servername', 'www.example.com'])
    expect(told.targets[0].serverName).toBe('www.example.com')
    expect(told.targets[0].certificates[0].isTrusted).toBe(false)
  })

  test('--connections bounds the connections', async () => {
    const { told } = await checkJson([await serve(), '--connections', '2'])
    expect(told.targets[0].connections.length).toBeLessThanOrEqual(2)
  })

  test('--at judges as of another time', async () => {
    const { code, told } = await checkJson([await serve(), '--at', new Date(Date.now() + 6 * day).toISOString()])
    expect(code).toBe(2)
    expect(told.targets[0].certificates[0].staples[0].refusals[0].rule).toBe('next-update')
  })

  test('--no-phone-home asks no responder; without it the CA is asked', async () => {
    const responder = await createScriptedResponder({ authority })
    const asked = await authority.issueLeaf({ responderURL: responder.url })
    const { port } = await startBadStapler({
      cert: asked.chainPem,
      key: await readFile(asked.keyFile, 'utf8'),
      staple: staple(asked),
    })
    const { told } = await checkJson([`localhost:${port}`])
    expect(responder.count).toBe(0)
    expect(told.targets[0].certificates[0]).toMatchObject({ unasked: 'asked-not-to' })
    const words = ['check', '--json', '--ca-file', leaf.rootFile, `localhost:${port}`]
    const home = JSON.parse((await runCommand(words)).stdout)
    expect(responder.count).toBeGreaterThan(0)
    expect(home.targets[0].certificates[0].live.ocsp).toMatchObject({ certStatus: 'good' })
  })
})

describe('what is wrong with the command line', () => {
  test('is all said at once, each with a hint, and nobody is connected to', async () => {
    let connections = 0
    const listener = await startOddListener(() => {
      connections += 1
    })
    const good = `127.0.0.1:${listener.port}`
    const file = join(temporaryDirectory('check'), 'targets')
    await writeFile(file, `${good}\nx:y\n`)
    const words = [
      good,
      'a..b',
      '-f',
      file,
      '--at',
      'soon',
      '--timeout',
      '5',
      '--starttls',
      'tls',
      '--revocation',
      'no',
    ]
    const { code, stdout, stderr } = await check(words)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr.match(/^error: /gm)).toHaveLength(6)
    expect(stderr.match(/^ {2}hint: /gm)).toHaveLength(6)
    expect(stderr).toContain(`error: ${file}:2: "x:y"`)
    expect(stderr).toMatch(/6 problems; nothing was connected to\n$/)
    expect(connections).toBe(0)
  })

  test('steers no terminal with the name of a configuration', async () => {
    const { stderr } = await check(['-c', '/nonexistent/\u001b]0;owned\u0007'])
    expect(stderr).toContain('/nonexistent/?]0;owned?')
    expect(stderr).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  test.each([
    [[]],
    [['--json', '--prometheus', 'example.invalid']],
    [['-f', '/nonexistent/targets']],
    [['-f', '/']],
    [['-f', '/dev/zero']],
    [['--ca-file', '/nonexistent/ca', 'example.invalid']],
    [['--ca-file', import.meta.filename, 'example.invalid']],
    [['-c', '/nonexistent/conf']],
    [['--connections', '0', 'example.invalid']],
    [['--parallel', 'x', 'example.invalid']],
    [['--nonsense']],
  ])('%j ends with 3', async (words) => {
    const { code, stdout, stderr } = await runCommand(['check', ...words])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(/^error: .+\n/)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe('where it goes', () => {
  test('--prometheus writes metrics alone', async () => {
    const { code, stdout } = await check([await serve(), '--prometheus'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^# HELP staplewright_check_severity/)
    expect(stdout).toMatch(/^staplewright_check_severity\{target="localhost:\d+"\} 0$/m)
  })

  test('--html puts a page in place of the one before, and the words still come', async () => {
    const file = join(temporaryDirectory('check'), 'page.html')
    await writeFile(file, 'old')
    const { code, stdout } = await check([await serve(), '--html', file])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ok: /)
    expect(await readFile(file, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
  })

  test('--html into nowhere ends with 3 and a hint', async () => {
    for (const file of ['/nonexistent/page.html', '/dev/null', '/tmp']) {
      const { code, stdout, stderr } = await check([await serve(), '--html', file])
      expect(code).toBe(3)
      expect(stderr).toMatch(/^error: --html .*\n {2}hint: /)
      expect(stdout).toMatch(/^ok: localhost/)
    }
  })
})

test('an interrupt tells what is known by then, and ends with 3', async () => {
  const good = await serve()
  let interrupt = () => {}
  const hanging = await startOddListener(() => interrupt())
  const words = [good, `127.0.0.1:${hanging.port}`, '--parallel', '1', '--timeout', '30s', '--json']
  const begin = performance.now()
  const { code, told } = await checkJson(words, {
    onSignal(name, listener) {
      if (name === 'SIGINT') interrupt = listener
      return () => {}
    },
  })
  expect(code).toBe(3)
  expect(told).toMatchObject({ verdict: 'unknown', unchecked: 1, targets: [{ target: good, verdict: 'ok' }] })
  expect(performance.now() - begin).toBeLessThan(10_000)
})

test('an interrupt ends any number of targets at the same time, and Node sees no leak in that', async () => {
  const warn = vi.spyOn(process, 'emitWarning')
  let connections = 0
  let interrupt = () => {}
  const listeners = await Promise.all(
    Array.from({ length: 12 }, () =>
      startOddListener(() => {
        if (++connections === 12) interrupt()
      }),
    ),
  )
  const targets = listeners.map(({ port }) => `127.0.0.1:${port}`)
  const { code, told } = await checkJson([...targets, '--parallel', '12', '--timeout', '30s'], {
    onSignal(name, listener) {
      if (name === 'SIGINT') interrupt = listener
      return () => {}
    },
  })
  expect({ code, unchecked: told.unchecked }).toEqual({ code: 3, unchecked: 12 })
  expect(warn).not.toHaveBeenCalled()
  warn.mockRestore()
})

test('a wrong option leads to the help of its own command', async () => {
  const { code, stderr } = await runCommand(['check', '--nonsense'])
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: "error: unknown option '--nonsense'\n(staplewright check --help shows what it takes)\n",
  })
})

describe('what does not answer', () => {
  test('a CA that hangs costs as long as --timeout says', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'hang' })
    const asked = await authority.issueLeaf({ responderURL: responder.url })
    const { port } = await startBadStapler({
      cert: asked.chainPem,
      key: await readFile(asked.keyFile, 'utf8'),
      staple: staple(asked),
    })
    const begun = performance.now()
    const { stdout } = await runCommand(['check', '--ca-file', leaf.rootFile, '--timeout', '1s', `localhost:${port}`])
    expect(stdout).toContain('[ca-unreachable]')
    // the fetcher's own would be ten seconds and more
    expect(performance.now() - begun).toBeLessThan(6_000)
  })

  test.each([
    ['the system gives up as early as the probe', {}, 'timeout:2 attempts:2'],
    ['unless the environment says when', { RES_OPTIONS: 'timeout:9' }, 'timeout:9'],
  ])('a name server: %s', async (_, given: Record<string, string>, expected) => {
    const environment = { ...given }
    await check([await serve()], { environment })
    expect(environment.RES_OPTIONS).toBe(expected)
  })
})
