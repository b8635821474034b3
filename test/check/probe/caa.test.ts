/** CAA records: who is asked, in which order, and what is made of the answer. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { findCaa } from '../../../src/check/probe/caa.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { look } from './seen.ts'

const limits = { clock: systemClock, timeoutMs: 1_000 }

/** A DNS of these names; others exist without records. */
function dns(zone: Readonly<Record<string, readonly object[] | string>>) {
  const asked: string[] = []
  return {
    asked,
    resolve: async (name: string) => {
      asked.push(name)
      const found = zone[name] ?? 'ENODATA'
      if (typeof found === 'string') throw Object.assign(new Error(`queryCaa ${found} ${name}`), { code: found })
      return found
    },
  }
}

const find = (host: string, zone: Parameters<typeof dns>[0], serverName?: string) => {
  const { asked, resolve } = dns(zone)
  const target = { label: host, host, port: 443, ...(serverName === undefined ? {} : { serverName }) }
  return findCaa(target, limits, resolve).then((record) => ({ record, asked }))
}

describe('CAA records', () => {
  it('of the name itself end the search', async () => {
    const { record, asked } = await find('www.example.org', {
      'www.example.org': [
        { critical: 0, issue: 'ca.example' },
        { critical: 128, iodef: 'mailto:a@example.org' },
      ],
      'example.org': [{ critical: 0, issue: 'other.example' }],
    })
    expect(record).toEqual({
      name: 'www.example.org',
      records: [
        { critical: false, tag: 'issue', value: 'ca.example' },
        { critical: true, tag: 'iodef', value: 'mailto:a@example.org' },
      ],
    })
    expect(asked).toEqual(['www.example.org'])
  })

  it('are looked for above, up to the top, where a name has none or does not exist', async () => {
    const { record, asked } = await find('a.b.example.org.', {
      'a.b.example.org': 'ENOTFOUND',
      org: [{ critical: 0, issue: ';' }],
    })
    expect(asked).toEqual(['a.b.example.org', 'b.example.org', 'example.org', 'org'])
    expect(record).toEqual({ name: 'org', records: [{ critical: false, tag: 'issue', value: ';' }] })
  })

  it('that are nowhere are an empty answer', async () => {
    expect((await find('example.org', {})).record).toEqual({ records: [] })
  })

  it('are those of the name that is asked for by SNI', async () => {
    expect((await find('192.0.2.1', {}, 'example.org')).asked).toEqual(['example.org', 'org'])
  })

  it('of an address do not exist', async () => {
    expect(await find('192.0.2.1', {})).toEqual({ record: undefined, asked: [] })
  })

  it('that the DNS refuses to tell are not taken for absent: nobody above is asked', async () => {
    const { record, asked } = await find('www.example.org', { 'www.example.org': 'ESERVFAIL' })
    expect(record).toEqual({ records: [], failure: expect.stringContaining('ESERVFAIL') })
    expect(asked).toHaveLength(1)
  })

  it('that never come are a failure', async () => {
    const target = { label: 'x', host: 'example.org', port: 443 }
    const record = await findCaa(target, { ...limits, timeoutMs: 20 }, () => new Promise(() => {}))
    expect(record).toEqual({ records: [], failure: expect.stringContaining('within 20 ms') })
  })

  it('are read as Node gives them', async () => {
    const server = createSocket('udp4', (query, sender) => {
      const value = Buffer.concat([Buffer.from([128, 5]), Buffer.from('issueca.example')])
      const head = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
      const end = query.indexOf(0, 12) + 5
      const answer = Buffer.from([0xc0, 12, 1, 1, 0, 1, 0, 0, 0, 60, 0, value.length])
      server.send(
        Buffer.concat([query.subarray(0, 2), head, query.subarray(12, end), answer, value]),
        sender.port,
        sender.address,
      )
    })
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    endsWithTest(() => server.close())
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${server.address().port}`])
    const target = { label: 'x', host: 'example.org', port: 443 }
    expect(await findCaa(target, limits, (name) => resolver.resolveCaa(name))).toEqual({
      name: 'example.org',
      records: [{ critical: true, tag: 'issue', value: 'ca.example' }],
    })
  })

  it('are in the record of a probe only where they are asked for', async () => {
    const options = {
      serverName: 'example.org',
      resolveCaa: dns({ org: [{ critical: 0, issue: 'ca.example' }] }).resolve,
    }
    expect((await look(await freePort(), options)).caa).toBeUndefined()
    expect((await look(await freePort(), { ...options, stack: true })).caa?.name).toBe('org')
  })
})
