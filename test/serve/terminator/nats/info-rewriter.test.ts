import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StapleError } from '../../../../src/errors.ts'
import { longestInfoBytes } from '../../../../src/serve/terminator/nats/info.ts'
import {
  createInfoRewriter,
  type InfoRewriter,
  longestLineBytes,
} from '../../../../src/serve/terminator/nats/info-rewriter.ts'

const url = 'tcp://b:4222'

/** What a client is sent when the backend sends these chunks; an INFO arrives as `<INFO …>`. */
function send(...chunks: readonly (string | Buffer)[]): string {
  const rewriter = createInfoRewriter({ url, rewrite: mark })
  return chunks.map((chunk) => textOf(rewriter(Buffer.from(chunk as string)))).join('')
}

function textOf(sent: ReturnType<InfoRewriter>): string {
  return Buffer.concat(sent === undefined ? [] : Buffer.isBuffer(sent) ? [sent] : sent).toString('latin1')
}

const mark = (line: Buffer) => Buffer.from(`<${line.toString('latin1').trimEnd()}>\r\n`, 'latin1')

function failureOf(...chunks: readonly (string | Buffer)[]): StapleError {
  try {
    send(...chunks)
  } catch (error) {
    return error as StapleError
  }
  throw new Error('nothing was thrown')
}

describe('a stream of operations', () => {
  it('passes on, but for its INFO lines', () => {
    expect(send('INFO {"a":1}\r\nPING\r\n', '+OK\r\nINFO {"b":2}\r\nPONG\r\n')).toBe(
      '<INFO {"a":1}>\r\nPING\r\n+OK\r\n<INFO {"b":2}>\r\nPONG\r\n',
    )
  })

  it.each([
    'PING\r\n',
    'PONG\r\n',
    '+OK\r\n',
    "-ERR 'Authorization Violation'\r\n",
    'MSG a.b 1 5\r\nhello\r\n',
    'MSG a.b 1 reply.to 0\r\n\r\n',
    'msg\ta.b  1\t3  \r\nabc\r\n',
    'HMSG a 9 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
    'HMSG a 9 reply 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
    'ping \r\npong\n',
  ])('passes %j as the very chunk that came', (text) => {
    const rewriter = createInfoRewriter({ url, rewrite: mark })
    const chunk = Buffer.from(text)
    expect(rewriter(chunk)).toBe(chunk)
    expect(textOf(rewriter(Buffer.from('info x\r\n')))).toBe('<info x>\r\n')
  })

  it('keeps a payload that looks like an INFO', () => {
    const payload = 'INFO {"connect_urls":["10.0.0.1:4222"]}\r\nINFO {}\r\n'
    const stream = `MSG a 1 ${payload.length}\r\n${payload}\r\n`
    expect(send(stream)).toBe(stream)
    for (let cut = 1; cut < stream.length; cut++) expect(send(stream.slice(0, cut), stream.slice(cut))).toBe(stream)
  })

  it('may be cut anywhere, an INFO into single bytes', () => {
    const stream = 'INFO {"a":1}\r\nMSG a 1 10\r\nINFO {}\r\n!\r\nINFO {"b":2}\r\nPING\r\n'
    expect(send(...stream.split(''))).toBe(send(stream))
    expect(send(stream)).toBe('<INFO {"a":1}>\r\nMSG a 1 10\r\nINFO {}\r\n!\r\n<INFO {"b":2}>\r\nPING\r\n')
  })

  it('holds nothing back but an INFO that is not whole', () => {
    const rewriter = createInfoRewriter({ url, rewrite: mark })
    const pass = (text: string) => textOf(rewriter(Buffer.from(text)))
    expect(pass('PING\r\nMSG a 1 1')).toBe('PING\r\nMSG a 1 1')
    expect(pass('2\r\nhello ')).toBe('2\r\nhello ')
    expect(pass('world!\r')).toBe('world!\r')
    expect(pass('\nI')).toBe('\n')
    expect(rewriter(Buffer.from('NFO {}'))).toBeUndefined()
    expect(pass('\r')).toBe('')
    expect(pass('\nP')).toBe('<INFO {}>\r\nP')
  })

  it('copies no payload', () => {
    const rewriter = createInfoRewriter({ url, rewrite: mark })
    rewriter(Buffer.from('MSG a 1 3000000\r\n'))
    const chunk = Buffer.alloc(1_000_000, '\nINFO {}\r\n')
    for (let index = 0; index < 3; index++) expect(rewriter(chunk)).toBe(chunk)
    expect(textOf(rewriter(Buffer.from('\r\nINFO\r\n')))).toBe('\r\n<INFO>\r\n')
  })

  it('is as if it had come whole, wherever it is cut and whatever it carries', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._$>*-]{1,20}$/)
    const space = fc.constantFrom(' ', ' ', ' ', '\t', '  ')
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom('INFO {"a":1}\r\n', '\r\nINFO {}\r\n', 'MSG a 1 5\r\n', 'PING\r\n', '\r', '\n', ''),
    )
    const message = fc
      .tuple(fc.constantFrom('MSG', 'HMSG', 'msg', 'HmSg'), space, word, fc.option(word), payload)
      .map(([name, gap, subject, reply, bytes]) => {
        const words = [name, subject, '7', ...(reply === null ? [] : [reply])]
        if (name.length === 4) words.push('0')
        return `${[...words, String(bytes.length)].join(gap)}\r\n${bytes}\r\n`
      })
      .map((text) => ({ sent: text, expected: text }))
    const line = fc
      .constantFrom('PING\r\n', 'PONG\r\n', '+OK\r\n', "-ERR 'INFO'\r\n", 'ping\r\n')
      .map((text) => ({ sent: text, expected: text }))
    const info = fc
      .tuple(fc.constantFrom('INFO ', 'info\t', 'Info '), fc.jsonValue())
      .map(([name, value]) => Buffer.from(`${name}${JSON.stringify(value)}`).toString('latin1'))
      .map((text) => ({ sent: `${text}\r\n`, expected: `<${text.trimEnd()}>\r\n` }))
    const stream = fc.array(fc.oneof(message, message, line, info), { maxLength: 30 })
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 })
    fc.assert(
      fc.property(stream, cuts, fc.boolean(), (operations, fractions, isDripping) => {
        const bytes = Buffer.from(operations.map(({ sent }) => sent).join(''), 'latin1')
        const places = isDripping
          ? Array.from(bytes.keys())
          : fractions.map((fraction) => Math.floor(fraction * bytes.length))
        const ends = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b)
        const chunks = ends.slice(1).map((end, index) => bytes.subarray(ends[index], end))
        expect(send(...chunks)).toBe(operations.map(({ expected }) => expected).join(''))
      }),
      { numRuns: 500 },
    )
  })
})

describe('what is not the protocol is refused', () => {
  it.each([
    ['a word of no server', 'SUB a 1\r\n', '"SUB a 1\\r\\n"'],
    ['a message cut short by its name', 'MSGX a 1 1\r\n', '"MSGX a 1 1\\r\\n"'],
    ['another word with the same first letter', 'PANG\r\n', '"PANG\\r\\n"'],
    ['an empty line', '\r\n', '"\\r\\n"'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', '"HTTP/1.1 400 Bad Request\\r\\n"'],
    ['a TLS record', Buffer.from([22, 3, 3, 0, 1]), String.raw`"\x16\x03\x03\x00\x01"`],
    ['a message without a size', 'MSG a\r\n', '"MSG a\\r\\n"'],
    ['a size that is no number', 'MSG a 1 1x\r\n', '"MSG a 1 1x\\r\\n"'],
    ['a size below zero', 'MSG a 1 -1\r\n', '"MSG a 1 -1\\r\\n"'],
    ['a size that is part of a word', 'HMSG a 1 x12\r\n', '"HMSG a 1 x12\\r\\n"'],
    ['a size of eleven digits', 'MSG a 1 10000000000\r\n', '"MSG a 1 10000000000\\r\\n"'],
    ['nothing but a size', 'MSG5\r\n', '"MSG5\\r\\n"'],
  ])('%s', (_, bytes, found) => {
    expect(failureOf('PING\r\n', bytes)).toMatchObject({
      code: 'ERR_NATS_PROTOCOL',
      detail: { backend: url, expected: 'an operation', found },
    })
  })

  it('a payload that does not end where its size says', () => {
    expect(failureOf('MSG a 1 2\r\nabcd\r\n').detail).toMatchObject({
      expected: 'the end of a payload',
      found: '"cd\\r\\n"',
    })
    expect(failureOf('MSG a 1 2\r\nab\r', 'INFO {}\r\n').detail).toMatchObject({ expected: 'the end of a payload' })
  })

  it('an INFO over 1 MiB, and no shorter one', () => {
    const pad = (bytes: number) => `INFO ${' '.repeat(bytes - 7)}\r\n`
    expect(send(pad(longestInfoBytes))).toBe('<INFO>\r\n')
    expect(failureOf(pad(longestInfoBytes + 1)).detail).toMatchObject({
      expected: `a line of at most ${longestInfoBytes} bytes`,
    })
    const piece = Buffer.alloc(1000, ' ')
    const { detail } = failureOf('INFO', ...Array.from({ length: 1100 }, () => piece))
    expect(detail).toMatchObject({ expected: `a line of at most ${longestInfoBytes} bytes` })
  })

  it('any other line over 64 KiB, and no shorter one', () => {
    const pad = (bytes: number) => `-ERR ${' '.repeat(bytes - 7)}\r\n`
    expect(send(pad(longestLineBytes))).toBe(pad(longestLineBytes))
    const { detail } = failureOf(pad(longestLineBytes + 1).slice(0, 40_000), pad(longestLineBytes + 1).slice(40_000))
    expect(detail).toMatchObject({ expected: `a line of at most ${longestLineBytes} bytes` })
    expect(String((detail as { found?: string }).found)).toMatch(/^"-ERR /)
  })

  it('whatever the rewriting refuses', () => {
    const rewriter = createInfoRewriter({
      url,
      rewrite: () => {
        throw new Error('no JSON')
      },
    })
    expect(() => rewriter(Buffer.from('INFO {\r\n'))).toThrow('no JSON')
  })

  it('and nothing else is thrown, whatever comes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
      fc.constantFrom('MSG a 1 3\r\n', 'INFO ', '{}', '\r\n', 'abc', 'HMSG ', 'PING').map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 12 }), (chunks) => {
        const rewriter = createInfoRewriter({ url, rewrite: mark })
        try {
          for (const chunk of chunks) rewriter(chunk)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_NATS_PROTOCOL' })
        }
      }),
      { numRuns: 1000 },
    )
  })
})
