import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInfo, type InfoRewriting, parseInfo } from '../../../../src/serve/terminator/nats/info.ts'
import { quote } from '../../../../src/serve/terminator/nats/quote.ts'

const plain: InfoRewriting = { asksForCertificate: false, advertise: [] }

/** What a client of the front is sent for a line. */
function told(line: string | Buffer, rewriting: Partial<InfoRewriting> = {}): string {
  const info = parseInfo(Buffer.from(line as string), 'tcp://b:4222')
  return formatInfo(info, { ...plain, ...rewriting }).toString()
}

const jsonOf = (line: string) => JSON.parse(line.slice('INFO '.length))

describe('an INFO line told on', () => {
  it('says that TLS is required, as its last word', () => {
    expect(told('INFO {"server_id":"A","port":4222} \r\n')).toBe(
      'INFO {"server_id":"A","port":4222,"tls_required":true}\r\n',
    )
  })

  it('says that a certificate is demanded when it is, and not when only the backend demands one', () => {
    const line = 'INFO {"tls_required":true,"tls_verify":true,"nonce":"n"}\r\n'
    expect(told(line)).toBe('INFO {"nonce":"n","tls_required":true}\r\n')
    expect(told(line, { asksForCertificate: true })).toBe(
      'INFO {"nonce":"n","tls_required":true,"tls_verify":true}\r\n',
    )
  })

  it('offers no way around TLS', () => {
    expect(told('INFO {"tls_available":true}\r\n')).toBe('INFO {"tls_required":true}\r\n')
  })

  it('leads nobody past the front', () => {
    const line = 'INFO {"connect_urls":["10.0.0.1:4222"],"x":1,"ws_connect_urls":["10.0.0.1:8080"]}\r\n'
    expect(told(line)).toBe('INFO {"x":1,"tls_required":true}\r\n')
  })

  it('leads to the advertised addresses instead, also where the backend named none', () => {
    const rewriting = { advertise: ['nats.example.net:4222', '[2001:db8::1]:4222'] }
    const seen = { x: 1, tls_required: true, connect_urls: rewriting.advertise }
    expect(jsonOf(told('INFO {"connect_urls":["10.0.0.1:4222"],"x":1}\r\n', rewriting))).toEqual(seen)
    expect(jsonOf(told('INFO {"x":1}\r\n', rewriting))).toEqual(seen)
  })

  it("keeps the front's own fields from being said in another spelling, which Go reads too", () => {
    expect(told(String.raw`INFO {"Connect_URLs":["10.0.0.1:1"],"\u0074ls_available":true,"tls_required":false}`)).toBe(
      'INFO {"tls_required":true}\r\n',
    )
  })

  it('keeps everything else byte for byte: numbers of any size, spaces, escapes, order', () => {
    const fields = String.raw`"client_id":18446744073709551615,"a" : [1.50, {"connect_urls":[1]}],"b":"\u00e9 é , } \" \\","z":1e400`
    expect(told(`INFO {${fields},"tls_available":true}\r\n`)).toBe(`INFO {${fields},"tls_required":true}\r\n`)
  })

  it('keeps bytes that are no UTF-8', () => {
    const line = Buffer.concat([Buffer.from('INFO {"name":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}\r\n')])
    const info = formatInfo(parseInfo(line, 'tcp://b:1'), plain)
    expect(info.includes(Buffer.from([0xff, 0xc3]))).toBe(true)
  })

  it('advertises names in UTF-8', () => {
    expect(jsonOf(told('INFO {}\r\n', { advertise: ['bücher.example:4222'] })).connect_urls).toEqual([
      'bücher.example:4222',
    ])
  })

  it('may be empty, and may be written in lower case or with tabs', () => {
    expect(told('INFO {}')).toBe('INFO {"tls_required":true}\r\n')
    expect(told('info\t{ } \n')).toBe('INFO {"tls_required":true}\r\n')
  })

  it('means the same as parsing, changing and writing it, whatever it holds', () => {
    const words = fc.constantFrom(
      'tls_required',
      'tls_available',
      'connect_urls',
      'ws_connect_urls',
      'tls_verify',
      'port',
    )
    const objects = fc.dictionary(fc.oneof(words, fc.string({ unit: 'binary' })), fc.jsonValue())
    fc.assert(
      fc.property(objects, fc.boolean(), fc.array(fc.string()), (object, asksForCertificate, advertise) => {
        const own = ['tls_required', 'tls_available', 'tls_verify', 'connect_urls', 'ws_connect_urls']
        const expected = {
          ...Object.fromEntries(Object.entries(object).filter(([name]) => !own.includes(name))),
          tls_required: true,
          ...(asksForCertificate && { tls_verify: true }),
          ...(advertise.length > 0 && { connect_urls: advertise }),
        }
        const seen = jsonOf(told(`INFO ${JSON.stringify(object)}\r\n`, { asksForCertificate, advertise }))
        expect(JSON.stringify(seen)).toBe(JSON.stringify(JSON.parse(JSON.stringify(expected))))
      }),
    )
  })
})

describe('what the front reads in it', () => {
  it.each([
    ['{"tls_required":true}', true, false],
    ['{"tls_available":true}', false, true],
    ['{"tls_required":false}', false, false],
    ['{"tls_required":"true","a":{"tls_available":true}}', false, false],
  ])('is whether the backend wants TLS: %s', (json, isTlsRequired, isTlsAvailable) => {
    expect(parseInfo(Buffer.from(`INFO ${json}\r\n`), 'tcp://b:1')).toMatchObject({ isTlsRequired, isTlsAvailable })
  })
})

describe('a line that is no INFO', () => {
  it.each([
    'INFO\r\n',
    'INFO {"a":1\r\n',
    'INFO {"a":1}}\r\n',
    'INFO {"a":1} x\r\n',
    'INFO {a:1}\r\n',
    'INFO [1]\r\n',
    'INFO "a"\r\n',
    'INFO null\r\n',
    'INFO {"a":01}\r\n',
    `INFO {"a":${'['.repeat(100_000)}}\r\n`,
    'PING\r\n',
  ])('is refused: %j', (line) => {
    const found = quote(Buffer.from(line))
    expect(() => parseInfo(Buffer.from(line), 'tcp://b:4222')).toThrow(
      expect.objectContaining({
        code: 'ERR_NATS_PROTOCOL',
        detail: { backend: 'tcp://b:4222', expected: 'INFO and a JSON object', found },
      }),
    )
  })
})

describe('a quotation', () => {
  it('shows what cannot be printed by its number', () => {
    expect(quote(Buffer.from('a "b"\\\r\n\t\x1b[31m\xff', 'latin1'))).toBe(String.raw`"a \"b\"\\\r\n\x09\x1b[31m\xff"`)
  })

  it('is printable ASCII but for its ellipsis, and never longer than 60 characters', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = quote(bytes)
        expect(text.length).toBeLessThanOrEqual(60)
        expect(text).toMatch(/^"[ -~]*…?"$/)
      }),
    )
    expect(quote(Buffer.alloc(57, 'a'))).toBe(`"${'a'.repeat(57)}"`)
    expect(quote(Buffer.alloc(59, 'a'))).toBe(`"${'a'.repeat(57)}…"`)
  })
})
