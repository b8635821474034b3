/** Rules about connections that came to no certificate. */
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { failed, findingOf, findingsOf, leafOf, responseFor, series, wrongCodes } from './crafted.ts'

const leaf = await leafOf()
const good = responseFor(leaf)

describe('could-not-connect', () => {
  it('is unknown where the name does not resolve', async () => {
    const failure = new StapleError('ERR_PROBE_RESOLVE', 'nowhere.example has no address', { host: 'nowhere.example' })
    const findings = await findingsOf([], { failure })
    expect(findings).toHaveLength(1)
    expect(findingOf(findings, 'could-not-connect')).toMatchObject({
      severity: 'unknown',
      evidence: ['nowhere.example has no address'],
    })
  })

  it('gives every failure', async () => {
    const findings = await findingsOf([
      failed('ERR_PROBE_TIMEOUT'),
      failed('ERR_PROBE_TIMEOUT', { address: '192.0.2.2' }),
    ])
    expect(findingOf(findings, 'could-not-connect').evidence).toHaveLength(2)
  })

  it('says what Apache needs whose cache is not there, where the port is closed', async () => {
    const findings = await findingsOf([failed('ERR_PROBE_CONNECT', { detail: { networkCode: 'ECONNREFUSED' } })])
    const { remedies } = findingOf(findings, 'could-not-connect')
    expect(remedies.find(({ server }) => server === 'apache')?.lines?.join('\n')).toContain('SSLStaplingCache shmcb:')
  })

  it('says the option for what begins in clear', async () => {
    const detail = { found: 'the server speaks no TLS: it sent IMAP; try --starttls imap ("* OK")' }
    const findings = await findingsOf([failed('ERR_PROBE_HANDSHAKE', { detail })])
    expect(findingOf(findings, 'could-not-connect').remedies[0]?.text).toContain('`--starttls imap`')
  })

  it('is not found where one connection showed a certificate', async () => {
    const findings = await findingsOf([...series(leaf, [good]), failed('ERR_PROBE_CONNECT', { address: '192.0.2.2' })])
    expect(findings.map(({ code }) => code)).not.toContain('could-not-connect')
  })
})

describe('some-connections-failed', () => {
  it('names the address that fails', async () => {
    const findings = await findingsOf([...series(leaf, [good]), failed('ERR_PROBE_CONNECT', { address: '192.0.2.2' })])
    expect(findingOf(findings, 'some-connections-failed').title).toBe(
      '1 of 2 connections failed: 192.0.2.2, not 192.0.2.1',
    )
  })

  it('is found where the same offer worked before', async () => {
    const findings = await findingsOf([...series(leaf, [good]), failed('ERR_PROBE_HANDSHAKE', { number: 2 })])
    expect(wrongCodes(findings)).toEqual(['some-connections-failed'])
  })

  it('counts every handshake of an address that lets nobody in', async () => {
    const findings = await findingsOf([
      ...series(leaf, [good]),
      failed('ERR_PROBE_HANDSHAKE', { address: '192.0.2.2' }),
      failed('ERR_PROBE_HANDSHAKE', { address: '192.0.2.2', number: 2, version: 'TLSv1.2' }),
    ])
    expect(findingOf(findings, 'some-connections-failed').title).toBe(
      '2 of 3 connections failed: 192.0.2.2, not 192.0.2.1',
    )
  })

  it('does not count a TLS version that the server does not speak', async () => {
    const findings = await findingsOf([
      ...series(leaf, [good]),
      failed('ERR_PROBE_HANDSHAKE', { number: 2, version: 'TLSv1.2' }),
    ])
    expect(wrongCodes(findings)).toEqual([])
  })

  it('does not count an ALPN that the server does not know', async () => {
    const detail = { tlsCode: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' }
    const findings = await findingsOf([failed('ERR_PROBE_HANDSHAKE', { detail }), ...series(leaf, [good])])
    expect(wrongCodes(findings)).toEqual([])
  })
})

describe('address-without-route', () => {
  const unrouted = failed('ERR_PROBE_CONNECT', { address: '2001:db8::1', detail: { networkCode: 'ENETUNREACH' } })

  it('is a remark, where a machine without IPv6 looks at a name that has it', async () => {
    const findings = await findingsOf([...series(leaf, [good]), unrouted])
    expect(wrongCodes(findings)).toEqual([])
    expect(findingOf(findings, 'address-without-route')).toMatchObject({
      severity: 'info',
      title: 'not looked at: 2001:db8::1, to which this machine has no route',
    })
  })

  it('hides no address that fails otherwise', async () => {
    const refusing = failed('ERR_PROBE_CONNECT', { address: '192.0.2.2', detail: { networkCode: 'ECONNREFUSED' } })
    const findings = await findingsOf([...series(leaf, [good]), unrouted, refusing])
    expect(findingOf(findings, 'some-connections-failed').title).toBe(
      '1 of 3 connections failed: 192.0.2.2, not 192.0.2.1',
    )
  })

  it('is no excuse where nothing else was seen', async () => {
    expect(wrongCodes(await findingsOf([unrouted]))).toEqual(['could-not-connect'])
  })
})
