import type { Socket } from 'node:net'
import { createServer, type TlsOptions, connect as tlsConnect } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/keep/clock.ts'
import { openNatsBackend } from '../../../../src/serve/terminator/nats/backend.ts'
import { longestInfoBytes } from '../../../../src/serve/terminator/nats/info.ts'
import { createAuthority, type Leaf } from '../../../kit/authority.ts'
import { manualClock } from '../../../kit/clock.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { failureOf, readText, socketPair } from './stage.ts'

const url = 'tcp://b:4222'
const common = { url, clock: systemClock, timeoutMs: 5_000 }

const fieldsOf = (fields: readonly { text: string }[]) => fields.map(({ text }) => text)

describe("a backend's INFO", () => {
  it('is read, and what follows it is left to read', async () => {
    const { near, far } = await socketPair()
    far.write('INFO {"server_id":"A"} \r\nPING\r\nMSG')
    const { socket, info } = await openNatsBackend(near, common)
    expect(fieldsOf(info.fields)).toEqual(['"server_id":"A"'])
    far.write(' a 1 2\r\nhi\r\n')
    expect(await readText(socket, 'hi\r\n')).toBe('PING\r\nMSG a 1 2\r\nhi\r\n')
  })

  it('may come in pieces, and be as long as the limit', async () => {
    const { near, far } = await socketPair()
    const opened = openNatsBackend(near, common)
    far.setNoDelay(true)
    for (const piece of 'INFO {"a":1,') {
      far.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const line = `${' '.repeat(longestInfoBytes - 'INFO {"a":1,"b":2}\r\n'.length)}"b":2}\r\n`
    far.write(`${line}PING\r\n`)
    const { socket, info } = await opened
    expect(fieldsOf(info.fields)).toEqual(['"a":1', '"b":2'])
    expect(await readText(socket, '\n')).toBe('PING\r\n')
  })

  it('is read, though the backend has closed already', async () => {
    const { near, far } = await socketPair()
    far.end("INFO {}\r\n-ERR 'maximum connections exceeded'\r\n")
    const { socket } = await openNatsBackend(near, common)
    expect(await readText(socket, '\n')).toBe("-ERR 'maximum connections exceeded'\r\n")
  })
})

describe('a backend that is none', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2p1 Debian\r\n', String.raw`"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"`],
    ['one that begins alike', 'INTRO\r\n', String.raw`"INTRO\r\n"`],
    ['binary', Buffer.from([0x4a, 0, 0, 0, 0x0a, 0x38]), String.raw`"J\x00\x00\x00\n8"`],
    ['a long line', `220 ${'x'.repeat(500)}\r\n`, `"220 ${'x'.repeat(53)}…"`],
  ])('is told by what came instead: %s', async (_, bytes, found) => {
    const { near, far } = await socketPair()
    far.write(bytes)
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_PROTOCOL', detail: { backend: url, expected: 'INFO', found } })
    expect(near.destroyed).toBe(true)
  })

  it('is told when its second piece is another, with both', async () => {
    const { near, far } = await socketPair()
    const opened = failureOf(openNatsBackend(near, common))
    far.write('IN')
    await new Promise<void>((resolve) => near.once('data', () => resolve()))
    far.write('TERNAL ERROR')
    expect((await opened).detail).toMatchObject({ found: '"INTERNAL ERROR"' })
  })

  it('is told when its INFO is no JSON', async () => {
    const { near, far } = await socketPair()
    far.write('INFO {"a":}\r\n')
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_PROTOCOL', detail: { found: String.raw`"INFO {\"a\":}\r\n"` } })
    expect(near.destroyed).toBe(true)
  })

  it('is given up when its INFO has no end', async () => {
    const { near, far } = await socketPair()
    far.write(`INFO {"a":"${'x'.repeat(longestInfoBytes)}`)
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({
      code: 'ERR_NATS_PROTOCOL',
      detail: { found: `"INFO {\\"a\\":\\"${'x'.repeat(43)}…"` },
    })
  })

  it('is given up when it says nothing in time', async () => {
    const { near } = await socketPair()
    const clock = manualClock()
    const failed = failureOf(openNatsBackend(near, { ...common, clock }))
    await clock.advance(5_000)
    expect(await failed).toMatchObject({
      code: 'ERR_NATS_NO_INFO',
      detail: { backend: url, found: 'no whole line within 5000 ms' },
    })
    expect(near.destroyed).toBe(true)
  })

  it('is given up when it drips', async () => {
    const { near, far } = await socketPair()
    const clock = manualClock()
    const failed = failureOf(openNatsBackend(near, { ...common, clock }))
    far.write('INFO {')
    await new Promise<void>((resolve) => near.once('data', () => resolve()))
    await clock.advance(4_999)
    far.write('"')
    await new Promise<void>((resolve) => near.once('data', () => resolve()))
    await clock.advance(1)
    expect((await failed).code).toBe('ERR_NATS_NO_INFO')
  })

  it('is told when it closes without a word', async () => {
    const { near, far } = await socketPair()
    far.end()
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_NO_INFO', detail: { found: 'it closed without a word' } })
    expect(near.destroyed).toBe(true)
  })

  it('is told when it closes within its line', async () => {
    const { near, far } = await socketPair()
    far.end('INFO {"a"')
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_PROTOCOL', detail: { found: String.raw`"INFO {\"a\""` } })
  })

  it('is told when it resets', async () => {
    const { near, far } = await socketPair()
    far.resetAndDestroy()
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_NO_INFO', detail: { found: 'ECONNRESET' } })
  })

  it('is told when it was gone before it was asked', async () => {
    const { near } = await socketPair()
    near.destroy()
    await new Promise((resolve) => near.once('close', resolve))
    expect((await failureOf(openNatsBackend(near, common))).code).toBe('ERR_NATS_NO_INFO')
  })

  it('leaves no timer behind', async () => {
    const clock = manualClock()
    const { near, far } = await socketPair()
    far.write('INFO {}\r\n')
    await openNatsBackend(near, { ...common, clock })
    const other = await socketPair()
    other.far.end()
    await failureOf(openNatsBackend(other.near, { ...common, clock }))
    expect(clock.timers).toBe(0)
  })
})

describe('TLS to the backend', () => {
  let leaf: Leaf
  let ca: string
  beforeAll(async () => {
    const authority = await createAuthority()
    ca = authority.root.pem
    leaf = await authority.issueLeaf()
  })
  const secure = (raw: Socket) => tlsConnect({ socket: raw, ca, servername: 'localhost' })

  /** What stands for nats-server after its INFO: answers each line with the same in angle brackets. */
  function serveTls(far: Socket, info: string, options: TlsOptions = {}): void {
    const server = createServer({ cert: leaf.chainPem, key: leaf.key, ...options }, (secured) => {
      secured.on('error', () => {})
      secured.on('data', (chunk) => secured.write(`<${chunk}>`))
    })
    server.on('tlsClientError', () => {})
    endsWithTest(() => server.close())
    far.write(info)
    server.emit('connection', far)
  }

  it.each(['tls_required', 'tls_available'])('comes over the same socket after an INFO with %s', async (field) => {
    const { near, far } = await socketPair()
    serveTls(far, `INFO {"${field}":true}\r\n`)
    const { socket, info } = await openNatsBackend(near, { ...common, secure })
    expect(info.fields).toHaveLength(1)
    socket.write('CONNECT {}\r\n')
    expect(await readText(socket, '>')).toBe('<CONNECT {}\r\n>')
  })

  it('is refused when the backend is not the one it should be', async () => {
    const { near, far } = await socketPair()
    serveTls(far, 'INFO {"tls_required":true}\r\n')
    const other = (raw: Socket) => tlsConnect({ socket: raw, ca, servername: 'other.example' })
    const error = await failureOf(openNatsBackend(near, { ...common, secure: other }))
    expect(error).toMatchObject({ code: 'ERR_TERMINATOR_BACKEND', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    expect(near.destroyed).toBe(true)
  })

  it('is not left out when the backend offers none: nothing goes in clear', async () => {
    const { near, far } = await socketPair()
    const heard: Buffer[] = []
    far.on('data', (chunk) => heard.push(chunk))
    far.write('INFO {}\r\n')
    const error = await failureOf(openNatsBackend(near, { ...common, url: 'tls://b:4222', secure }))
    expect(error).toMatchObject({ code: 'ERR_NATS_TLS', detail: { backend: 'tls://b:4222' } })
    expect(error.message).toContain('offers no TLS')
    expect(error.detail).toMatchObject({ hint: expect.stringContaining('tcp://') })
    expect(heard).toEqual([])
    expect(near.destroyed).toBe(true)
  })

  it('that the backend requires is told when its address is tcp://', async () => {
    const { near, far } = await socketPair()
    far.write('INFO {"tls_required":true}\r\n')
    const error = await failureOf(openNatsBackend(near, common))
    expect(error).toMatchObject({ code: 'ERR_NATS_TLS', detail: { backend: url } })
    expect(error.message).toContain('requires TLS')
    expect(error.detail).toMatchObject({ hint: 'write it as tls://' })
    expect(near.destroyed).toBe(true)
  })

  it('that the backend only allows is not needed', async () => {
    const { near, far } = await socketPair()
    far.write('INFO {"tls_available":true}\r\n')
    expect((await openNatsBackend(near, common)).socket).toBe(near)
  })

  it('is given up when the backend hangs in the handshake', async () => {
    const { near, far } = await socketPair()
    const clock = manualClock()
    far.write('INFO {"tls_required":true}\r\n')
    const failed = failureOf(openNatsBackend(near, { ...common, clock, secure }))
    await new Promise((resolve) => far.once('data', resolve))
    await clock.advance(5_000)
    const error = await failed
    expect(error).toMatchObject({ code: 'ERR_TERMINATOR_BACKEND', detail: { networkCode: 'ETIMEDOUT' } })
  })

  it('is given up when the backend closes or resets in the handshake', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const { near, far } = await socketPair()
      far.write('INFO {"tls_required":true}\r\n')
      const failed = failureOf(openNatsBackend(near, { ...common, secure }))
      await new Promise((resolve) => far.once('data', resolve))
      far[end]()
      expect(await failed).toMatchObject({ code: 'ERR_TERMINATOR_BACKEND', detail: { networkCode: 'ECONNRESET' } })
    }
  })
})
