/** Addresses, URLs and names, and what is said of those that are none. */
import { describe, expect, it } from 'vitest'
import {
  backendURL,
  hostName,
  hostPort,
  httpURL,
  listenAddress,
  loopbackAddress,
  portNumber,
  protocolName,
  proxy,
  serverName,
} from '../../../src/run/config/address.ts'
import { readAs } from '../../kit/configuration.ts'

describe('where to listen', () => {
  it.each([
    ['"0.0.0.0:8443"', '0.0.0.0', 8443],
    ['127.0.0.1:8443', '127.0.0.1', 8443],
    ['localhost:8443', 'localhost', 8443],
    ['"[::1]:8443"', '::1', 8443],
    ['":8443"', '0.0.0.0', 8443],
    ['8443', '0.0.0.0', 8443],
    ['"127.0.0.1:0"', '127.0.0.1', 0],
    ['"127.0.0.1:-1"', '127.0.0.1', 0],
    ['-1', '0.0.0.0', 0],
  ])('%s', async (written, host, port) => {
    expect(await readAs(listenAddress, written)).toEqual({ value: { host, port } })
  })

  it.each([
    ['"localhost"', '"localhost" has no port'],
    ['"8443"', 'a text without a host'],
    ['"tcp://0.0.0.0:8443"', 'a URL, not an address'],
    ['"::1:8443"', '"::1:8443" is not host:port'],
    ['"[::g]:8443"', '"::g" is not a host'],
    ['"a b:80"', '"a b" is not a host'],
    ['"256.0.0.1:80"', '"256.0.0.1" is not a host'],
    ['"localhost:"', '"" is not a port'],
    ['"localhost:http"', '"http" is not a port'],
    ['"localhost:65536"', '"65536" is not a port'],
    ['70000', '"70000" is not a port'],
    ['true', 'not an address'],
  ])('%s is refused', async (written, summary) => {
    expect(await readAs(listenAddress, written)).toMatchObject({ problem: { summary } })
  })
})

it('host and port may stand alone', async () => {
  expect(await readAs(hostName, '"[::1]"')).toEqual({ value: '::1' })
  expect(await readAs(hostName, 'localhost')).toEqual({ value: 'localhost' })
  expect(await readAs(hostName, '"localhost:80"')).toMatchObject({
    problem: { hint: expect.stringMatching(/without a port/) },
  })
  expect(await readAs(portNumber, '8443')).toEqual({ value: 8443 })
  expect(await readAs(portNumber, '"8443"')).toMatchObject({ problem: { summary: 'not a port' } })
})

describe('the backend', () => {
  it.each([
    ['"tcp://127.0.0.1:8080"', 'tcp', 'tcp://127.0.0.1:8080'],
    ['tcp://localhost:8080/', 'tcp', 'tcp://localhost:8080'],
    ['"TCP://[::1]:8080"', 'tcp', 'tcp://[::1]:8080'],
    ['"tls://backend.example.net:443"', 'tls', 'tls://backend.example.net:443'],
    ['"nats://127.0.0.1:4222"', 'nats', 'tcp://127.0.0.1:4222'],
  ])('%s', async (written, scheme, url) => {
    expect(await readAs(backendURL, written)).toEqual({ value: { scheme, url } })
  })

  it.each([
    ['"127.0.0.1:8080"', 'write "tcp://127.0.0.1:8080"'],
    ['"http://127.0.0.1:8080"', /write "tcp:\/\/127\.0\.0\.1:8080"/],
    ['"tcp://127.0.0.1"', /with the port you mean/],
    ['"tcp://:8080"', /before the colon/],
    ['"tls://127.0.0.1:0"', /1 to 65535/],
    ['""', 'write it as "tcp://127.0.0.1:8080"'],
    ['8080', 'write it as "tcp://127.0.0.1:8080"'],
  ])('%s is refused', async (written, hint) => {
    expect(await readAs(backendURL, written)).toMatchObject({
      problem: { hint: typeof hint === 'string' ? hint : expect.stringMatching(hint) },
    })
  })
})

it('an address to advertise has host and port', async () => {
  expect(await readAs(hostPort, '"nats.example.net:4222"')).toEqual({ value: 'nats.example.net:4222' })
  expect(await readAs(hostPort, '"[::1]:4222"')).toEqual({ value: '[::1]:4222' })
  for (const wrong of ['"nats.example.net"', '":4222"', '4222', '"nats://a:1"', '"a:0"'])
    expect(await readAs(hostPort, wrong)).toMatchObject({ problem: { expected: 'host:port' } })
})

it('an address that only this machine may ask is on loopback unless one is given', async () => {
  expect(await readAs(loopbackAddress, '8222')).toEqual({ value: { host: '127.0.0.1', port: 8222 } })
  expect(await readAs(loopbackAddress, '":8222"')).toEqual({ value: { host: '127.0.0.1', port: 8222 } })
  expect(await readAs(loopbackAddress, '"0.0.0.0:8222"')).toEqual({ value: { host: '0.0.0.0', port: 8222 } })
})

describe('a URL over HTTP', () => {
  it.each(['"http://ocsp.example.net"', 'http://ocsp.example.net:80/', '"https://[::1]/a?b"'])(
    '%s',
    async (written) => {
      expect(await readAs(httpURL, written)).toEqual({ value: written.replaceAll('"', '') })
    },
  )

  it.each([
    ['"ocsp.example.net"', 'write "http://ocsp.example.net"'],
    ['"ftp://ocsp.example.net"', 'OCSP is spoken over HTTP'],
    ['"http://"', 'OCSP is spoken over HTTP'],
    ['""', 'write a URL, or leave the key out'],
    ['5', 'write it as "http://ocsp.example.net"'],
  ])('%s is refused', async (written, hint) => {
    expect(await readAs(httpURL, written)).toMatchObject({ problem: { hint } })
  })

  it('of a proxy may be a word', async () => {
    expect(await readAs(proxy, 'None')).toEqual({ value: 'none' })
    expect(await readAs(proxy, 'environment')).toEqual({ value: 'environment' })
    expect(await readAs(proxy, '"http://p:3128"')).toEqual({ value: 'http://p:3128' })
    expect(await readAs(proxy, 'no')).toMatchObject({ problem: { summary: 'not a URL' } })
  })
})

describe('the name of a site', () => {
  it.each([
    ['Example.NET', 'example.net'],
    ['"*.example.net"', '*.example.net'],
    ['example.net.', 'example.net'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['localhost', 'localhost'],
  ])('%s', async (written, value) => {
    expect(await readAs(serverName, written)).toEqual({ value })
  })

  it.each([
    ['"127.0.0.1"', 'an IP address'],
    ['"*"', '"*" is not a DNS name'],
    ['"a.*.net"', '"a.*.net" is not a DNS name'],
    ['"https://example.net"', '"https://example.net" is not a DNS name'],
    ['"a b"', '"a b" is not a DNS name'],
    ['5', 'not a name'],
  ])('%s is refused', async (written, summary) => {
    expect(await readAs(serverName, written)).toMatchObject({ problem: { summary } })
  })
})

it('the name of a protocol has 1 to 255 bytes', async () => {
  expect(await readAs(protocolName, '"http/1.1"')).toEqual({ value: 'http/1.1' })
  expect(await readAs(protocolName, '""')).toMatchObject({ problem: { summary: 'a name of 0 bytes' } })
  expect(await readAs(protocolName, `"${'x'.repeat(256)}"`)).toMatchObject({
    problem: { summary: 'a name of 256 bytes' },
  })
})
