/** Whatever a target shows, it is judged: no certificate, staple, header or banner makes a rule throw. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import { authority, findingsOf, leafOf, responseFor, shown } from './crafted.ts'

const leaf = await leafOf({ mustStaple: true, caIssuersURL: 'http://ca.example.net/issuer.der' })
const staples = [
  responseFor(leaf),
  responseFor(leaf, { signer: await authority.delegate() }),
  encodeOcspError('tryLater'),
]
const chain = [leaf.der, authority.intermediate.der]

const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })

/** Some octets replaced. */
function damaged(der: Uint8Array, places: readonly (readonly [number, number])[]): Uint8Array {
  const copy = Uint8Array.from(der)
  for (const [place, octet] of places) copy[place % copy.length] = octet
  return copy
}

const anything = fc.record({
  leaf: damage,
  issuer: damage,
  staple: fc.oneof(
    fc.constant(null),
    fc.tuple(fc.constantFrom(...staples), damage).map(([der, places]) => damaged(der, places)),
    fc.uint8Array({ maxLength: 64 }),
  ),
  isTrusted: fc.boolean(),
  code: fc.constantFrom('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID'),
  server: fc.string(),
  host: fc.string(),
  greeting: fc.string(),
})

it('is judged, with at least one finding and no control character in it', async () => {
  await fc.assert(
    fc.asyncProperty(anything, async ({ isTrusted, code, server, host, greeting, ...given }) => {
      const [first, second] = chain as [Uint8Array, Uint8Array]
      const connection = shown(leaf, given.staple, {
        chain: [damaged(first, given.leaf), damaged(second, given.issuer)],
        trust: isTrusted ? { isTrusted } : { isTrusted, code },
        greeting,
      })
      const target = { label: host, host, port: 443 }
      const findings = await findingsOf([connection], { target, http: { status: 200, server } }, { stack: true })
      expect(findings.length).toBeGreaterThan(0)
      const texts = findings.flatMap(({ title, meaning, evidence, remedies }) => [
        title,
        meaning,
        ...evidence,
        ...remedies.flatMap(({ text, lines = [] }) => [text, ...lines]),
      ])
      expect(texts.filter((text) => /\p{Cc}|undefined|NaN|\[object/u.test(text))).toEqual([])
    }),
    { numRuns: 300 },
  )
})
