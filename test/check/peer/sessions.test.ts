/** What a session is remembered by: nobody is to be resumed as somebody else, whatever a server would agree to. */
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { createSessionNames } from '../../../src/check/peer/sessions.ts'

const target = { host: '192.0.2.1', servername: 'www.example.com', port: 443, ca: 'one' }

describe('the name of a session', () => {
  it('is the same for the same peer, trust and objects', () => {
    const nameOf = createSessionNames()
    const secureContext = createSecureContext()
    const name = nameOf({ ...target, secureContext })
    expect(name).toBeTypeOf('string')
    expect(nameOf({ ...target, secureContext })).toBe(name)
    expect(nameOf({ ...target, secureContext: createSecureContext() })).not.toBe(name)
  })

  it.each([
    { host: '192.0.2.2' },
    { servername: 'mail.example.com' },
    { port: 8443 },
    { path: '/run/socket' },
    { ALPNProtocols: ['h2'] },
    { allowPartialTrustChain: true },
    { ca: 'two' },
    { ca: ['one'] },
    { ca: Buffer.from('one') },
    { cert: 'mine' },
    { checkServerIdentity: () => undefined },
    { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    { crl: 'list' },
    { key: 'mine' },
    { maxVersion: 'TLSv1.2' as const },
    { minVersion: 'TLSv1.3' as const },
    { pfx: 'mine' },
    { privateKeyIdentifier: 'mine' },
    { rejectUnauthorized: false },
    { secureContext: createSecureContext() },
    { secureOptions: 1 },
    { sigalgs: 'ecdsa_secp256r1_sha256' },
  ])('is another with %o', (more) => {
    const nameOf = createSessionNames()
    expect(nameOf({ ...target, ...more })).not.toBe(nameOf(target))
  })

  it('does not run two values together', () => {
    const nameOf = createSessionNames()
    expect(nameOf({ ...target, ca: ['a', 'b'] })).not.toBe(nameOf({ ...target, ca: ['a,b'] }))
    expect(nameOf({ host: 'a', servername: 'b' })).not.toBe(nameOf({ host: 'a\nb' }))
  })

  it('is none where nothing says who the peer is', () => {
    expect(createSessionNames()({ ca: 'one' })).toBeUndefined()
  })
})
