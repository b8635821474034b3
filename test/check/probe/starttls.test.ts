/** Real servers of each protocol that begins in clear, and what scripted ones may do instead of agreeing. */
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { guessStarttls, type StarttlsProtocol } from '../../../src/check/probe/index.ts'
import { openXmpp } from '../../../src/check/probe/starttls/xmpp.ts'
import { createWire } from '../../../src/check/probe/wire.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { startBadStapler } from '../../kit/bad-stapler.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { startNatsBackend } from '../../kit/nats-server.ts'
import { startOddListener } from '../../kit/odd-listener.ts'
import {
  startDovecot,
  startExim,
  startMariadb,
  startPostgres,
  startProsody,
  startSlapd,
  startVsftpd,
} from '../../kit/starttls-servers.ts'
import { failureOf, lines, look } from './seen.ts'

let leaf: Leaf
let root: string

beforeAll(async () => {
  const authority = await createAuthority({ keyType: 'rsa2048' })
  leaf = await authority.issueLeaf()
  root = authority.root.pem
})

/** What a server with one RSA certificate and both versions shows in three connections. */
const rsaInBoth = ['1.3 ecdsa,rsa: rsa', '1.3 ecdsa: ERR_PROBE_HANDSHAKE', '1.2 ecdsa,rsa: rsa']

function lookAt(starttls: StarttlsProtocol, port: number) {
  return look(port, { starttls, serverName: 'localhost', ca: [root], connections: 3 })
}

const natsTls = (files: Leaf) => `cert_file: "${files.certificateFile}", key_file: "${files.keyFile}", timeout: 2`

describe('a real server is brought to TLS', () => {
  const servers: [string, StarttlsProtocol, () => Promise<number>, RegExp | undefined][] = [
    ['Exim', 'smtp', () => startExim(leaf), /^220 localhost ESMTP Exim/],
    ['Dovecot for IMAP', 'imap', async () => (await startDovecot(leaf)).imap, /^\* OK .*Dovecot/],
    ['Dovecot for POP3', 'pop3', async () => (await startDovecot(leaf)).pop3, /^\+OK Dovecot/],
    ['vsftpd', 'ftp', () => startVsftpd(leaf), /^220 \(vsFTPd/],
    ['slapd', 'ldap', () => startSlapd(leaf), undefined],
    ['PostgreSQL', 'postgres', () => startPostgres(leaf), undefined],
    ['MariaDB', 'mysql', () => startMariadb(leaf), /MariaDB/],
    ['Prosody for clients', 'xmpp', async () => (await startProsody(leaf)).clients, /stream/],
    [
      'nats-server',
      'nats',
      async () => {
        return (await startNatsBackend({ lines: [`tls { ${natsTls(leaf)} }`] })).port
      },
      /^INFO \{.*"tls_required":true/,
    ],
  ]

  it.each(servers)('%s', async (_name, protocol, start, greeting) => {
    const record = await lookAt(protocol, await start())
    expect(lines(record)).toEqual(rsaInBoth)
    const [first] = record.connections
    expect(first?.handshake?.trust).toEqual({ isTrusted: true })
    expect(first?.handshake?.chain.map((der) => Buffer.from(der).toString('base64'))[0]).toBe(
      Buffer.from(leaf.der).toString('base64'),
    )
    expect(first?.offered.serverName).toBe('localhost')
    if (greeting) expect(first?.greeting).toMatch(greeting)
    else expect(first?.greeting).toBeUndefined()
    expect(record.http).toBeUndefined()
  })
})

it.each([
  ['takes clients without TLS as well', 'tls { TLS }\nallow_non_tls: true', /"tls_available":true/, false],
  ['wants a client certificate', 'tls { TLS, verify: true, ca_file: "CA" }', /"tls_verify":true/, true],
])('nats-server that %s', async (_name, config, greeting, wantsClientCertificate) => {
  const lines = [config.replace('TLS', natsTls(leaf)).replace('CA', leaf.caFile)]
  const record = await lookAt('nats', (await startNatsBackend({ lines })).port)
  const [first] = record.connections
  expect(first?.greeting).toMatch(greeting)
  expect(first?.handshake?.chain).toHaveLength(2)
  expect(first?.handshake?.trust).toEqual({ isTrusted: true })
  expect(first?.handshake?.wantsClientCertificate ?? false).toBe(wantsClientCertificate)
})

it('Prosody is opened for servers, too', async () => {
  const port = (await startProsody(leaf)).servers
  const socket = connect(port, '127.0.0.1')
  endsWithTest(() => socket.destroy())
  const wire = createWire(socket)
  const greetings: string[] = []
  await openXmpp({
    ...{ wire, name: 'localhost', port: 5269, memory: {} },
    limits: { clock: systemClock, timeoutMs: 3_000 },
    note: (text) => greetings.push(text),
  })
  expect(greetings[0]).toContain("xmlns='jabber:server'")
  expect(wire.unread()).toHaveLength(0)
})

describe('a real server without TLS says so', () => {
  it.each<[string, StarttlsProtocol, () => Promise<number>]>([
    ['PostgreSQL says N', 'postgres', () => startPostgres(leaf, false)],
    ['MariaDB leaves the flag out', 'mysql', () => startMariadb()],
    ["nats-server's INFO names no TLS", 'nats', async () => (await startNatsBackend()).port],
  ])('%s', async (_name, protocol, start) => {
    const record = await lookAt(protocol, await start())
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({
      code: 'ERR_PROBE_STARTTLS',
      protocol,
      found: expect.stringMatching(/no TLS/),
    })
  })
})

/** What a scripted server says first, and then to each thing that it hears. */
function play(first: string | Uint8Array | undefined, ...answers: readonly (string | Uint8Array)[]) {
  return (socket: Socket) => {
    const queue = [...answers]
    if (first !== undefined) socket.write(first)
    socket.on('data', () => {
      const next = queue.shift()
      if (next !== undefined) socket.write(next)
    })
  }
}

const ldapAnswer = (code: number, text: string, isLong = false) => {
  const words = Buffer.from(text)
  const response = Buffer.from([0x0a, 1, code, 4, 0, 4, words.length, ...words])
  // as Active Directory writes it: every length in four octets
  const length = (size: number) => (isLong ? [0x84, 0, 0, size >> 8, size & 0xff] : [size])
  const message = Buffer.from([2, 1, 1, 0x78, ...length(response.length), ...response])
  return Buffer.from([0x30, ...length(message.length), ...message])
}
const mysqlPacket = (content: readonly number[]) => Uint8Array.from([content.length, 0, 0, 0, ...content])

describe('a server that does not agree', () => {
  it.each<[string, StarttlsProtocol, (socket: Socket) => void, RegExp]>([
    ['SMTP: greets with 554', 'smtp', play('554-go\r\n554 away\r\n'), /said "554 go"/],
    [
      'SMTP: offers no STARTTLS',
      'smtp',
      play('220 a\r\n', '250-a\r\n250 SIZE 5\r\n'),
      /offers no STARTTLS, but "SIZE 5"/,
    ],
    [
      'SMTP: offers it and refuses',
      'smtp',
      play('220 a\r\n', '250-a\r\n250 STARTTLS\r\n', '454 not now\r\n'),
      /"454 not now"/,
    ],
    ['SMTP: another protocol', 'smtp', play('SSH-2.0-x\r\n'), /said "SSH-2.0-x"/],
    ['IMAP: BYE', 'imap', play('* BYE full\r\n'), /said "\* BYE full"/],
    ['IMAP: NO', 'imap', play('* OK\r\n', '* CAPABILITY IMAP4rev1\r\na1 NO no TLS\r\n'), /said "a1 NO no TLS"/],
    ['POP3: -ERR', 'pop3', play('+OK\r\n', '-ERR no\r\n'), /said "-ERR no"/],
    ['FTP: 534', 'ftp', play('220-a\r\nb\r\n220 c\r\n', '534 no\r\n'), /said "534 no"/],
    ['LDAP: a result of 2', 'ldap', play(undefined, ldapAnswer(2, 'no TLS')), /the result 2: "no TLS"/],
    ['LDAP: the same in long lengths', 'ldap', play(undefined, ldapAnswer(52, 'busy', true)), /the result 52: "busy"/],
    ['LDAP: no LDAP', 'ldap', play(undefined, 'HTTP/1.1 400\r\n'), /4854 \(hex\)/],
    [
      'LDAP: a message of 2 GB',
      'ldap',
      play(undefined, Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff)),
      /2147483647 bytes/,
    ],
    ['PostgreSQL: an error', 'postgres', play(undefined, 'E'), /with an error/],
    ['PostgreSQL: something else', 'postgres', play(undefined, 'HTTP'), /the byte 0x48/],
    [
      'MySQL: an error packet',
      'mysql',
      play(mysqlPacket([255, 0x69, 4, ...Buffer.from('Too many')])),
      /said "Too many"/,
    ],
    ['MySQL: an old protocol', 'mysql', play(mysqlPacket([9, 65, 0])), /begins with 094100/],
    ['MySQL: a packet of 16 MB', 'mysql', play(Uint8Array.of(255, 255, 255, 0)), /a packet of 16777215 bytes/],
    [
      'XMPP: no such host',
      'xmpp',
      play(undefined, '<stream:stream><stream:error><host-unknown/></stream:error>'),
      /host-unknown/,
    ],
    ['XMPP: no starttls', 'xmpp', play(undefined, '<stream:stream><stream:features/>'), /no starttls among/],
    [
      'XMPP: failure',
      'xmpp',
      play(undefined, "<stream:stream><stream:features><starttls xmlns='x'/></stream:features>", '<failure/>'),
      /said "<failure\/>"/,
    ],
    ['NATS: no INFO', 'nats', play('+OK\r\n'), /said "\+OK"/],
    ['NATS: INFO that is no JSON', 'nats', play('INFO {\r\n'), /is not JSON/],
  ])('%s', async (_name, starttls, act, found) => {
    const { port } = await startOddListener(act)
    const record = await look(port, { starttls, serverName: 'localhost' })
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({ code: 'ERR_PROBE_STARTTLS', found: expect.stringMatching(found) })
  })
})

describe('whatever the protocol, the opening ends', () => {
  const protocols: readonly StarttlsProtocol[] = ['smtp', 'imap', 'pop3', 'ftp', 'ldap', 'postgres', 'mysql', 'xmpp']

  it.each(protocols)('%s: a server that says nothing', async (starttls) => {
    const { port } = await startOddListener((socket) => socket.resume())
    const record = await look(port, { starttls, timeoutMs: 60 })
    expect(failureOf(record).code).toBe('ERR_PROBE_TIMEOUT')
    expect(record.connections).toHaveLength(1)
  })

  it.each([...protocols, 'nats'] as const)('%s: a server that closes at once', async (starttls) => {
    const { port } = await startOddListener((socket) => socket.end())
    const record = await look(port, { starttls })
    expect(failureOf(record)).toMatchObject({ code: 'ERR_PROBE_STARTTLS', found: expect.stringContaining('closed') })
  })

  it.each([...protocols, 'nats'] as const)('%s: a server whose line does not end', async (starttls) => {
    const line = Buffer.alloc(65_536, '2')
    const listener = await startOddListener((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(line));
      }
      socket.on('drain', more)
      more()
    })
    const record = await look(listener.port, { starttls })
    expect(failureOf(record).code).toBe('ERR_PROBE_STARTTLS')
    expect(listener.sent).toBeLessThan(16_000_000)
  })

  it('a server that drips', async () => {
    const { port } = await startOddListener((socket) => {
      const timer = setInterval(() => socket.write('220-a\r\n'), 5)
      socket.once('close', () => clearInterval(timer))
    })
    expect(failureOf(await look(port, { starttls: 'ftp', timeoutMs: 150 })).code).toBe('ERR_PROBE_TIMEOUT')
  })

  it('an answer that is dear to search', async () => {
    const features = '<stream:stream><stream:features><starttls/></stream:features>'
    const { port } = await startOddListener(play(undefined, features, '<'.repeat(65_000)))
    const record = await look(port, { starttls: 'xmpp', timeoutMs: 100 })
    expect(failureOf(record).code).toBe('ERR_PROBE_TIMEOUT')
    expect(record.elapsedMs).toBeLessThan(1_000)
  })

  it('a reply of too many lines', async () => {
    const { port } = await startOddListener(play('220-a\r\n'.repeat(300)))
    expect(failureOf(await look(port, { starttls: 'smtp' }))).toMatchObject({
      code: 'ERR_PROBE_STARTTLS',
      found: 'a reply of more than 200 lines',
    })
  })
})

describe('what comes in clear behind the go-ahead is refused', () => {
  it.each<[StarttlsProtocol, (socket: Socket) => void]>([
    ['smtp', play('220 a\r\n', '250-a\r\n250 STARTTLS\r\n', '220 go\r\n250 injected\r\n')],
    ['imap', play('* OK\r\n', 'a1 OK go\r\n* 1 EXISTS\r\n')],
    ['pop3', play('+OK\r\n', '+OK\r\n+OK injected\r\n')],
    ['ftp', play('220 a\r\n', '234 go\r\n230 you are in\r\n')],
    ['ldap', play(undefined, Buffer.concat([ldapAnswer(0, ''), ldapAnswer(0, '')]))],
    ['postgres', play(undefined, 'SR')],
    ['nats', play('INFO {"tls_required":true}\r\nPING\r\n')],
    [
      'xmpp',
      play(undefined, '<stream:stream><stream:features><starttls/></stream:features>', '<proceed/><stream:features/>'),
    ],
  ])('%s', async (starttls, act) => {
    const { port } = await startOddListener(act)
    const record = await look(port, { starttls, serverName: 'localhost' })
    expect(failureOf(record)).toMatchObject({
      code: 'ERR_PROBE_STARTTLS',
      found: expect.stringMatching(/^\d+ bytes in clear behind the go-ahead/),
      expected: 'nothing before TLS',
    })
  })
})

describe('NATS that says nothing until it has TLS', () => {
  it('gets it on the same connection after a wait, and at once on the next', async () => {
    const { port } = await startBadStapler({ cert: leaf.chainPem, key: leaf.key })
    const record = await look(port, { starttls: 'nats', serverName: 'localhost', timeoutMs: 400, connections: 3 })
    expect(lines(record)).toEqual(rsaInBoth)
    expect(record.connections[0]?.connectMs).toBeGreaterThan(190)
    expect(record.connections[2]?.connectMs).toBeLessThan(150)
  })

  it('that did not wait so long is asked again on a fresh connection', async () => {
    const server = createServer({ cert: leaf.chainPem, key: leaf.key, handshakeTimeout: 60 })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endsWithTest(() => server.close())
    const { port } = server.address() as AddressInfo
    const record = await look(port, { starttls: 'nats', serverName: 'localhost', timeoutMs: 400, connections: 3 })
    expect(lines(record)).toEqual([
      '1.3 ecdsa,rsa: ERR_PROBE_STARTTLS',
      '1.3 ecdsa,rsa: rsa',
      '1.3 ecdsa: ERR_PROBE_HANDSHAKE',
    ])
  })
})

it('the protocol is guessed from the port', () => {
  const known = [21, 25, 110, 143, 389, 587, 3306, 4222, 5222, 5269, 5432].map(
    (port) => `${port} ${guessStarttls(port)}`,
  )
  expect(known).toEqual([
    '21 ftp',
    '25 smtp',
    '110 pop3',
    '143 imap',
    '389 ldap',
    '587 smtp',
    '3306 mysql',
    '4222 nats',
    '5222 xmpp',
    '5269 xmpp',
    '5432 postgres',
  ])
  expect([443, 465, 636, 853, 993, 6222].map(guessStarttls)).toEqual(Array(6).fill(undefined))
})
