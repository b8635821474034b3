/** Every cell of the table of policies (docs/guide/verifying-client.md), over real handshakes. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { PeerPolicy } from '../../../src/check/peer/index.ts'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import type { Leaf } from '../../kit/authority.ts'
import type { BehaviourKind, SignedKind } from '../../kit/behaviour.ts'
import { makeStaple } from '../../kit/staple.ts'
import { startPeerServer } from './peer-server.ts'
import { connectTo, createClient, type Stage, setStage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})

type Stapled = 'good' | 'revoked' | 'unknown' | 'refused' | 'none'
/** What the CA would answer; `-`: it must not be asked. */
type Ca = '-' | 'good' | 'revoked' | 'unknown' | 'dead'
/** The verdict's source and certStatus, or the code of the refusal, without `ERR_PEER_`. */
type Cell = readonly [Stapled, Ca, string]

const bad = ['badSignature', 'wrongSerial', 'otherAuthority', 'expired', 'noOcspSigning', 'tryLater'] as const

const cells: Readonly<Record<PeerPolicy, { readonly demanded: readonly Cell[]; readonly free: readonly Cell[] }>> = {
  require: {
    demanded: [
      ['good', '-', 'staple good'],
      ['revoked', '-', 'REVOKED'],
      ['unknown', '-', 'STATUS_UNKNOWN'],
      ['refused', '-', 'STAPLE_REFUSED'],
      ['none', '-', 'MUST_STAPLE'],
    ],
    free: [
      ['good', '-', 'staple good'],
      ['revoked', '-', 'REVOKED'],
      ['unknown', '-', 'STATUS_UNKNOWN'],
      ['refused', '-', 'STAPLE_REFUSED'],
      ['none', '-', 'NO_STAPLE'],
    ],
  },
  mustStaple: {
    demanded: [
      ['good', '-', 'staple good'],
      ['revoked', '-', 'REVOKED'],
      ['unknown', '-', 'STATUS_UNKNOWN'],
      ['refused', '-', 'STAPLE_REFUSED'],
      ['none', '-', 'MUST_STAPLE'],
    ],
    free: [
      ['good', '-', 'staple good'],
      ['revoked', '-', 'REVOKED'],
      ['unknown', '-', 'STATUS_UNKNOWN'],
      ['refused', '-', 'STAPLE_REFUSED'],
      ['none', '-', 'none'],
    ],
  },
  'staple-or-ask': both([
    ['good', '-', 'staple good'],
    ['revoked', '-', 'REVOKED'],
    ...(['unknown', 'refused', 'none'] as const).flatMap((stapled): Cell[] => [
      [stapled, 'good', 'ocsp good'],
      [stapled, 'revoked', 'REVOKED'],
      [stapled, 'unknown', 'STATUS_UNKNOWN'],
    ]),
    ['unknown', 'dead', 'STATUS_UNKNOWN'],
    ['refused', 'dead', 'STATUS_UNAVAILABLE'],
    ['none', 'dead', 'STATUS_UNAVAILABLE'],
  ]),
  soft: both([
    ['good', '-', 'staple good'],
    ['revoked', '-', 'REVOKED'],
    ...(['unknown', 'refused', 'none'] as const).flatMap((stapled): Cell[] => [
      [stapled, 'good', 'ocsp good'],
      [stapled, 'revoked', 'REVOKED'],
      [stapled, 'unknown', 'ocsp unknown'],
    ]),
    ['unknown', 'dead', 'staple unknown'],
    ['refused', 'dead', 'none'],
    ['none', 'dead', 'none'],
  ]),
}

function both(rows: readonly Cell[]) {
  return { demanded: rows, free: rows }
}

const rows = Object.entries(cells).flatMap(([policy, { demanded, free }]) =>
  [
    ...demanded.map((cell) => [...cell, 'mustStaple' as const] as const),
    ...free.map((cell) => [...cell, 'plain' as const] as const),
  ].flatMap(([stapled, ca, expected, leaf]) =>
    (stapled === 'refused' ? bad : [stapled]).map((what) => ({ policy, leaf, what, ca, expected })),
  ),
)

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  it.each(rows)('$policy, a $leaf certificate, stapled $what, the CA says $ca: $expected', async (row) => {
    const { authority, responder } = stage
    const leaf = stage[row.leaf]
    await responder.behave(row.ca === 'dead' ? 'refuse' : row.ca === '-' ? 'good' : (row.ca satisfies BehaviourKind))
    responder.forget()
    const server = await startPeerServer({ cert: leaf.chainPem, key: leaf.key, staple: await stapleOf(leaf, row.what) })
    const verifier = createClient({ policy: row.policy as PeerPolicy })
    const limits = { minVersion: version, maxVersion: version }
    const outcome = await connectTo(verifier, server.port, leaf, limits).then(
      (socket) => {
        const { source, certStatus } = verifier.verdictOf(socket) ?? {}
        return [source, certStatus].filter(Boolean).join(' ')
      },
      (error) => error.code.replace('ERR_PEER_', ''),
    )
    expect(outcome).toBe(row.expected)
    if (row.ca === '-') expect(responder.requests).toEqual([])
    expect(server.received).toBe('')

    async function stapleOf(of: Leaf, what: string): Promise<Uint8Array | null> {
      if (what === 'none') return null
      if (what === 'tryLater') return encodeOcspError('tryLater')
      return makeStaple(authority, of, what as SignedKind)
    }
  })
})

describe('what a stale staple still tells', () => {
  it('that it says revoked counts where the CA cannot be asked, even under soft', async () => {
    const { authority, responder, plain } = stage
    await responder.behave('refuse')
    const week = 7 * 86_400_000
    const staple = await makeStaple(authority, plain, { kind: 'revoked', thisUpdateAgeMs: 2 * week, validityMs: week })
    const server = await startPeerServer({ cert: plain.chainPem, key: plain.key, staple })
    await expect(connectTo(createClient({ policy: 'soft' }), server.port, plain)).rejects.toMatchObject({
      code: 'ERR_PEER_REVOKED',
    })
  })

  it('but the CA may have taken it back since', async () => {
    const { authority, responder, plain } = stage
    await responder.behave('good')
    const week = 7 * 86_400_000
    const staple = await makeStaple(authority, plain, { kind: 'revoked', thisUpdateAgeMs: 2 * week, validityMs: week })
    const server = await startPeerServer({ cert: plain.chainPem, key: plain.key, staple })
    const verifier = createClient({ policy: 'soft' })
    const socket = await connectTo(verifier, server.port, plain)
    expect(verifier.verdictOf(socket)).toMatchObject({ source: 'ocsp', certStatus: 'good' })
  })
})
