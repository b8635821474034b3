/** What people write as a target, and what of it is said to be wrong. */
import { describe, expect, test } from 'vitest'
import { guessStarttls } from '../../../src/check/probe/index.ts'
import { parseTarget, parseTargetFile, withoutRepeats } from '../../../src/run/cli/check/targets.ts'

const defaults = { guessStarttls }

test.each([
  ['example.com', { host: 'example.com', port: 443 }],
  ['example.com:8443', { host: 'example.com', port: 8443 }],
  ['Example.COM.', { host: 'example.com', port: 443 }],
  ['bücher.example:1', { host: 'xn--bcher-kva.example', port: 1 }],
  ['192.0.2.1:1', { host: '192.0.2.1', port: 1 }],
  ['2001:db8::1', { host: '2001:db8::1', port: 443 }],
  ['[2001:db8::1]', { host: '2001:db8::1', port: 443 }],
  ['[2001:db8::1]:8443', { host: '2001:db8::1', port: 8443 }],
  ['fe80::1%eth0', { host: 'fe80::1%eth0', port: 443 }],
  ['https://example.com/path?x#y', { host: 'example.com', port: 443 }],
  ['https://user:pass@example.com:8443/a:b@c', { host: 'example.com', port: 8443 }],
  ['https://[2001:db8::1]:8443/', { host: '2001:db8::1', port: 8443 }],
  ['https://example.com:25', { host: 'example.com', port: 25 }],
  ['mail.example.com:25', { host: 'mail.example.com', port: 25, starttls: 'smtp' }],
  ['smtp://mail.example.com', { host: 'mail.example.com', port: 25, starttls: 'smtp' }],
  ['imap://mail.example.com:8143', { host: 'mail.example.com', port: 8143, starttls: 'imap' }],
  ['IMAPS://mail.example.com', { host: 'mail.example.com', port: 993 }],
  ['ldap://ldap.example.com', { host: 'ldap.example.com', port: 389, starttls: 'ldap' }],
  ['nats://nats.example.com', { host: 'nats.example.com', port: 4222, starttls: 'nats' }],
  ['tls://nats.example.com:4222', { host: 'nats.example.com', port: 4222 }],
  ['_dane.example.com', { host: '_dane.example.com', port: 443 }],
])('%s', (text, target) => {
  expect(parseTarget(text, defaults)).toEqual({ label: text, ...target })
})

test.each([
  'example.com:0',
  'example.com:65536',
  'example.com:x',
  'example.com:',
  'example.com:443:443',
  '[2001:db8::1',
  '[example.com]:443',
  ':443',
  '-x.example.com',
  'a..b',
  'a b',
  '1.2.3',
  '999.1.1.1',
  'http://example.com',
  'gopher://example.com',
  '://example.com',
  'https://',
  `${'a'.repeat(64)}.example.com`,
])('%s is refused with a hint', (text) => {
  expect(() => parseTarget(text, defaults)).toThrow(
    expect.objectContaining({
      name: 'Error',
      message: expect.stringContaining(text),
      hint: expect.stringMatching(/\w/),
    }),
  )
})

describe('what all targets share', () => {
  test('starttls of the command line goes before what the port or the scheme says', () => {
    expect(parseTarget('example.com:25', { ...defaults, starttls: 'none' })).not.toHaveProperty('starttls')
    expect(parseTarget('https://example.com', { ...defaults, starttls: 'xmpp' }).starttls).toBe('xmpp')
  })

  test('a target of a file may say its own', () => {
    const file = '\ufeff# all\r\n\r\nmail.example.com:2525 starttls=smtp servername=x.example # why\nexample.com#no\n'
    const { targets, problems } = parseTargetFile(file, 'list', { ...defaults, serverName: 'y.example' })
    expect(targets).toEqual([
      {
        label: 'mail.example.com:2525 starttls=smtp servername=x.example',
        host: 'mail.example.com',
        port: 2525,
        starttls: 'smtp',
        serverName: 'x.example',
      },
    ])
    expect(problems.map(({ message }) => message)).toEqual(['list:4: "example.com#no": not a host name'])
  })

  test('a file is read to its end: each problem with its line', () => {
    const file = 'a..b\nok.example\nok.example starttls=carrier-pigeon\nok.example x=y\nok.example servername=1.2.3.4\n'
    const { targets, problems } = parseTargetFile(file, 'list', defaults)
    expect(targets).toHaveLength(1)
    expect(problems.map(({ message }) => message.split(': ')[0])).toEqual(['list:1', 'list:3', 'list:4', 'list:5'])
  })
})

test('a target that is named twice is looked at once, unless it is asked for another name or in another way', () => {
  const texts = ['example.com', 'https://EXAMPLE.com/', 'example.com:444', '192.0.2.1:25']
  const planned = texts.map((text) => ({ target: parseTarget(text, defaults) }))
  const others = [
    { target: parseTarget('example.com', { ...defaults, serverName: 'www.example.com' }) },
    { target: parseTarget('192.0.2.1:25', { ...defaults, starttls: 'none' }) },
  ]
  expect(withoutRepeats([...planned, ...others]).map(({ target }) => target.label)).toEqual([
    'example.com',
    'example.com:444',
    '192.0.2.1:25',
    'example.com',
    '192.0.2.1:25',
  ])
})
