/**
 * The peek before OpenSSL, over sockets: whole ClientHellos however they are cut, and what is none.
 *
 * Behind it stand two servers, of RSA and of EC; beside it, as the judge, one with both certificates.
 */
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type ClientHello,
  longestClientHelloBytes,
  longestFlightBytes,
  readClientHello,
} from '../../../src/serve/attach/client-hello.ts'
import { chooseKeyFamily, type KeyUse, keyUse } from '../../../src/serve/attach/key-choice.ts'
import { createPeek } from '../../../src/serve/attach/peek.ts'
import { nodeVersions } from '../../../tools/nodes.mjs'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { startProgram } from '../../kit/program.ts'
import {
  extension,
  type HelloOptions,
  helloMessage,
  message,
  record,
  records,
  uint16,
  vector16,
} from '../client-hello-bytes.ts'
import { until } from '../tls-client.ts'

let leaves: readonly [Leaf, Leaf]
/** What Node 24 and later open with: OpenSSL 3.5, with a key share for X25519MLKEM768. */
let postQuantum: Buffer

beforeAll(async () => {
  leaves = await Promise.all([
    createAuthority({ keyType: 'rsa2048' }).then((authority) => authority.issueLeaf()),
    createAuthority().then((authority) => authority.issueLeaf()),
  ])
  postQuantum = await capture()
})

/** The first flight of the newest Node's client. */
async function capture(): Promise<Buffer> {
  const { program } = nodeVersions().at(-1) as { program: string }
  const chunks: Buffer[] = []
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => chunks.push(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const script = `require('tls').connect({host:'127.0.0.1',port:${port},servername:'localhost',requestOCSP:true}).on('error',()=>{})`
  const client = startProgram(program, ['-e', script])
  await until(() => readClientHello(Buffer.concat(chunks)).kind === 'hello')
  await client.end()
  server.close()
  return Buffer.concat(chunks)
}

interface Taken {
  readonly family: KeyUse['family'] | undefined
  readonly hello: ClientHello | undefined
}

/** A peek before a server for each key, told what it hands on. */
async function startPeek(clock = manualClock()) {
  const uses = leaves.map((leaf) => keyUse(leaf.certificate))
  const servers = leaves.map((leaf) => createTlsServer({ cert: leaf.chainPem, key: leaf.key, minVersion: 'TLSv1.2' }))
  for (const server of servers) server.on('tlsClientError', () => {})
  const taken: Taken[] = []
  const arrived: Socket[] = []
  let timeouts = 0
  const peek = createPeek({
    clock,
    timeoutMs: 2000,
    passOn(socket, hello) {
      const family = hello && chooseKeyFamily(hello, uses)
      taken.push({ family, hello })
      servers[
        Math.max(
          0,
          uses.findIndex((use) => use.family === family),
        )
      ]?.emit('connection', socket)
    },
    timedOut: () => timeouts++,
  })
  const port = await listen(
    createTcpServer((socket) => {
      arrived.push(socket)
      peek.start(socket)
    }),
  )
  endsWithTest(() => peek.close())
  return { port, taken, arrived, clock, timeouts: () => timeouts }
}

async function startJudge(): Promise<number> {
  const server = createTlsServer({
    cert: leaves.map((leaf) => leaf.chainPem),
    key: leaves.map((leaf) => leaf.key),
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
  })
  server.on('tlsClientError', () => {})
  return listen(server)
}

async function listen(server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return (server.address() as { port: number }).port
}

/** Sends the parts one after the other and tells what comes back first: `22` a ServerHello, `21` an alert, `closed` nothing. */
async function send(
  port: number,
  parts: readonly Uint8Array[],
  between: (sent: number) => Promise<void> = async () => {},
): Promise<number | 'closed'> {
  const client = connect({ port, host: '127.0.0.1', noDelay: true })
  endsWithTest(() => client.destroy())
  const answer = new Promise<number | 'closed'>((resolve) => {
    client.on('error', () => {})
    client.once('data', (chunk) => resolve(chunk[0] as number))
    client.once('close', () => resolve('closed'))
  })
  await new Promise((resolve) => client.once('connect', resolve))
  let sent = 0
  for (const part of parts) {
    if (part.length > 0) client.write(part)
    sent += part.length
    await between(sent)
  }
  const first = await answer
  client.destroy()
  return first
}

/** Some hundred places to cut so many bytes at: every one of the first and the last, and some between. */
function places(length: number): number[] {
  const all = Array.from({ length: length - 1 }, (_, index) => index + 1)
  return all.filter((place) => place <= 80 || place >= length - 40 || place % 9 === 0)
}

const serverHello = 22
const alert = 21

const tls13: HelloOptions = {
  versions: [0x0304, 0x0303],
  cipherSuites: [0x1301, 0xc02b, 0xc02f],
  supportedGroups: [29, 23],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401],
  serverName: 'localhost',
  asksForStatus: true,
}

describe('a real ClientHello with a post-quantum key share', () => {
  it('is longer than a segment, and all that is asked for is read', () => {
    expect(postQuantum.length).toBeGreaterThan(1460)
    expect(readClientHello(postQuantum)).toMatchObject({
      kind: 'hello',
      hello: { serverName: 'localhost', asksForStatus: true, supportedGroups: expect.arrayContaining([4588]) },
    })
  })

  it('in two segments, cut anywhere, is answered by the server of the right key', async () => {
    const { port, taken, arrived } = await startPeek()
    const whole = readClientHello(postQuantum)
    for (const [index, place] of places(postQuantum.length).entries()) {
      const parts = [postQuantum.subarray(0, place), postQuantum.subarray(place)]
      // The second part leaves when the first has been read.
      const first = await send(port, parts, (sent) => until(() => (arrived[index]?.bytesRead ?? 0) >= sent))
      expect([place, first, taken.length, taken.at(-1)?.family]).toEqual([place, serverHello, index + 1, 'ec'])
      expect({ kind: 'hello', hello: taken.at(-1)?.hello }).toEqual(whole)
    }
  }, 60_000)

  it('in two records, cut anywhere, is answered as well', async () => {
    const { port, taken } = await startPeek()
    const whole = postQuantum.subarray(5)
    for (const [index, place] of places(whole.length).entries()) {
      const cut = Buffer.concat([record(whole.subarray(0, place)), record(whole.subarray(place))])
      expect([place, await send(port, [cut])]).toEqual([place, serverHello])
      expect([taken.length, taken.at(-1)?.family]).toEqual([index + 1, 'ec'])
    }
  }, 60_000)

  it('in records and segments of a few bytes each is answered as well', async () => {
    const { port, taken } = await startPeek()
    for (const size of [1, 2, 3, 5, 64, 512]) {
      const cut = records(postQuantum.subarray(5), size)
      const parts = Array.from({ length: Math.ceil(cut.length / 7) }, (_, index) =>
        cut.subarray(7 * index, 7 * index + 7),
      )
      expect([size, await send(port, parts, () => new Promise((resolve) => setImmediate(resolve)))]).toEqual([
        size,
        serverHello,
      ])
    }
    expect(taken.map(({ family }) => family)).toEqual(Array(6).fill('ec'))
  })
})

describe('an unusual ClientHello', () => {
  const grease = [extension(0x0a0a, Buffer.alloc(0)), extension(0xfafa, Buffer.from([0]))]
  it.each<[string, Buffer]>([
    [
      'with GREASE in every list',
      records(
        helloMessage({
          ...tls13,
          cipherSuites: [0x2a2a, ...tls13.cipherSuites],
          versions: [0x3a3a, 0x0304],
          supportedGroups: [0x4a4a, 29],
          signatureAlgorithms: [0x5a5a, 0x0403],
          further: grease,
        }),
      ),
    ],
    ['with padding to 4 KiB', records(helloMessage({ ...tls13, further: [extension(21, Buffer.alloc(3900))] }))],
    ['of 16 KiB in 16 records', records(paddedTo(longestClientHelloBytes), 1024)],
    ['of 16 KiB in one record', records(paddedTo(longestClientHelloBytes))],
    ['of 16 KiB in 32 records', records(paddedTo(longestClientHelloBytes), 512)],
    ['behind an empty record', Buffer.concat([record(Buffer.alloc(0)), records(helloMessage(tls13))])],
    ['with early bytes behind it', Buffer.concat([records(helloMessage(tls13)), Buffer.from([20, 3, 3, 0, 1, 1])])],
  ])('%s is read and answered', async (_what, bytes) => {
    const { port, taken } = await startPeek()
    expect(await send(port, [bytes])).toBe(serverHello)
    expect(taken).toMatchObject([{ family: 'ec', hello: { serverName: 'localhost' } }])
  })

  it('of one byte more than is read goes to OpenSSL unread', async () => {
    const { port, taken } = await startPeek()
    expect(await send(port, [records(paddedTo(longestClientHelloBytes + 1), 8192)])).toBe(serverHello)
    expect(taken).toEqual([{ family: undefined, hello: undefined }])
  })

  function paddedTo(length: number): Buffer {
    const bare = helloMessage({ ...tls13, further: [extension(21, Buffer.alloc(0))] }).length
    return helloMessage({ ...tls13, further: [extension(21, Buffer.alloc(length - bare))] })
  }
})

describe('what is no ClientHello', () => {
  const body = helloMessage(tls13).subarray(4)
  it.each<[string, Buffer, number | 'closed']>([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'), 'closed'],
    [
      'an SSL 2 hello',
      Buffer.from(
        '802e0100020015000000100100800300800700c006004002008004008000000000000000000000000000000000000000',
        'hex',
      ),
      alert,
    ],
    ['a hello of TLS 1.0 without extensions', records(tls10()), alert],
    ['a record longer than TLS allows', Buffer.from([22, 3, 1, 0x48, 1, 1, 0, 0x48, 0]), alert],
    ['a message of 16 MB', Buffer.concat([record(Buffer.from([1, 255, 255, 255])), Buffer.alloc(500)]), alert],
    [
      'an extension twice',
      records(helloMessage({ ...tls13, further: [extension(13, vector16(uint16(0x0804)))] })),
      alert,
    ],
    ['a message that ends inside itself', records(message(body.subarray(0, 90))), alert],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40]), alert],
  ])('%s goes to OpenSSL at once, which says what it says', async (_what, bytes, expected) => {
    const { port, taken } = await startPeek()
    const judge = await startJudge()
    const [ours, its] = [await send(port, [bytes]), await send(judge, [bytes])]
    expect([ours, taken.length]).toEqual([its, 1])
    expect(ours).toBe(expected)
  })

  function tls10(): Buffer {
    const suites = vector16(uint16(0x002f), uint16(0x0035))
    return message(Buffer.concat([uint16(0x0301), Buffer.alloc(32, 7), Buffer.from([0]), suites, Buffer.from([1, 0])]))
  }
})

describe('bytes at random', () => {
  it('are never waited for beyond the bound, and never throw', () => {
    const flights = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.concat([Buffer.from([22, 3, 1]), bytes])),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => records(message(Buffer.from(bytes)))),
      fc
        .array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 60 })
        .map((all) => Buffer.concat(all.map(record))),
    )
    fc.assert(
      fc.property(flights, (bytes) => {
        const reading = readClientHello(bytes)
        if (reading.kind !== 'incomplete') return
        expect(reading.neededBytes).toBeGreaterThan(bytes.length)
        expect(reading.neededBytes).toBeLessThanOrEqual(longestFlightBytes)
      }),
      { numRuns: 3000 },
    )
  })

  it('that OpenSSL takes for a ClientHello are taken for the same one here', async () => {
    const judge = await startJudge()
    const { port, taken } = await startPeek()
    let answered = 0
    const changes = fc.record({
      cut: fc.constantFrom(16_384, 300, 60, 6),
      // Behind the header of the record: that says how many bytes there are, and OpenSSL waits for them.
      spots: fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 255))), { maxLength: 3 }),
      what: fc.constantFrom<HelloOptions>(tls13, { ...tls13, versions: [0x0303] }),
    })
    await fc.assert(
      fc.asyncProperty(changes, async ({ cut, spots, what }) => {
        const whole = Buffer.from(helloMessage(what))
        for (const [at, value] of spots) whole[4 + (at % (whole.length - 4))] = value
        const bytes = records(whole, cut)
        if ((await send(judge, [bytes])) !== serverHello) return
        answered++
        const before = taken.length
        expect([await send(port, [bytes]), taken[before]?.hello !== undefined]).toEqual([serverHello, true])
      }),
      { numRuns: 500 },
    )
    expect(answered).toBeGreaterThan(50)
  }, 60_000)
})

describe('waiting', () => {
  it('copies nothing before all is there, so that many tiny records cost no more than few', () => {
    const cut = records(postQuantum.subarray(5), 1)
    for (const length of [1, 5, 6, 600, 6000, cut.length - 1]) {
      const bytes = Buffer.from(cut.subarray(0, length))
      bytes.subarray = () => {
        throw new Error('copied')
      }
      expect(readClientHello(bytes).kind).toBe('incomplete')
    }
  })

  it('ends after the time of a handshake, though a byte comes every second', async () => {
    const { port, arrived, taken, clock, timeouts } = await startPeek()
    const client = connect(port, '127.0.0.1')
    endsWithTest(() => client.destroy())
    client.on('error', () => {})
    client.resume()
    const closed = new Promise((resolve) => client.once('close', resolve))
    for (const [index, octet] of postQuantum.subarray(0, 2).entries()) {
      client.write(Buffer.from([octet]))
      await until(() => arrived[0]?.bytesRead === index + 1)
      await clock.advance(index === 0 ? 1000 : 999)
    }
    expect([timeouts(), taken.length]).toEqual([0, 0])
    await clock.advance(1)
    await closed
    expect([timeouts(), taken.length]).toEqual([1, 0])
  })
})
