import { describe, expect, it } from 'vitest'
import { type Attempt, type PlannedOffer, planNext } from '../../../src/check/probe/plan.ts'
import type { KeyFamily, TlsVersion } from '../../../src/check/probe/record.ts'

/** A server as far as the plan can tell: what it does with an offer. */
interface Server {
  readonly versions: readonly TlsVersion[]
  /** In its order of preference. */
  readonly keyFamilies: readonly string[]
}

/** `1.3 ecdsa,rsa: ecdsa` for what was offered and shown; `-` for a refusal. */
function follow(
  connections: number,
  answer: (offer: PlannedOffer, index: number) => Attempt['outcome'] | string,
): string[] {
  const attempts: Attempt[] = []
  for (let offer = planNext(attempts, connections); offer; offer = planNext(attempts, connections)) {
    const given = answer(offer, attempts.length)
    const isOutcome = given === 'refused' || given === 'unreachable' || given === 'again'
    attempts.push(isOutcome ? { ...offer, outcome: given } : { ...offer, outcome: 'shown', keyFamily: given })
    if (attempts.length > 50) throw new Error('the plan does not end')
  }
  return attempts.map((one) => `${one.version.slice(4)} ${one.keyFamilies}: ${one.keyFamily ?? one.outcome}`)
}

function answerOf(server: Server) {
  return (offer: PlannedOffer) => {
    if (!server.versions.includes(offer.version)) return 'refused'
    const shown = server.keyFamilies.find(
      (one) =>
        offer.keyFamilies.length > 1 || offer.keyFamilies.includes((one === 'rsa-pss' ? 'rsa' : one) as KeyFamily),
    )
    return shown ?? 'refused'
  }
}

const both: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

describe('the connections to one address', () => {
  it.each<[string, number, Server, string[]]>([
    ['one: one', 1, { versions: both, keyFamilies: ['rsa'] }, ['1.3 ecdsa,rsa: rsa']],
    [
      'one, and only TLS 1.2 there: the one is spent on finding out',
      1,
      { versions: ['TLSv1.2'], keyFamilies: ['rsa'] },
      ['1.3 ecdsa,rsa: refused'],
    ],
    [
      'two: the second asks for the other kind of key',
      2,
      { versions: both, keyFamilies: ['rsa'] },
      ['1.3 ecdsa,rsa: rsa', '1.3 ecdsa: refused'],
    ],
    [
      'five, RSA alone: the versions in turn',
      5,
      { versions: both, keyFamilies: ['rsa'] },
      ['1.3 ecdsa,rsa: rsa', '1.3 ecdsa: refused', '1.2 ecdsa,rsa: rsa', '1.3 ecdsa,rsa: rsa', '1.2 ecdsa,rsa: rsa'],
    ],
    [
      'three, both kinds: three each',
      3,
      { versions: both, keyFamilies: ['ecdsa', 'rsa'] },
      ['1.3 ecdsa,rsa: ecdsa', '1.3 rsa: rsa', '1.2 ecdsa: ecdsa', '1.3 ecdsa: ecdsa', '1.2 rsa: rsa', '1.3 rsa: rsa'],
    ],
    [
      'no TLS 1.3: one connection finds it out',
      5,
      { versions: ['TLSv1.2'], keyFamilies: ['ecdsa'] },
      [
        '1.3 ecdsa,rsa: refused',
        '1.2 ecdsa,rsa: ecdsa',
        '1.2 rsa: refused',
        '1.2 ecdsa,rsa: ecdsa',
        '1.2 ecdsa,rsa: ecdsa',
      ],
    ],
    [
      'no TLS 1.2: one connection finds it out',
      6,
      { versions: ['TLSv1.3'], keyFamilies: ['ecdsa'] },
      [
        '1.3 ecdsa,rsa: ecdsa',
        '1.3 rsa: refused',
        '1.2 ecdsa,rsa: refused',
        '1.3 ecdsa,rsa: ecdsa',
        '1.3 ecdsa,rsa: ecdsa',
        '1.3 ecdsa,rsa: ecdsa',
      ],
    ],
    [
      'a kind of key that is not asked for alone: both are offered on',
      4,
      { versions: both, keyFamilies: ['ed25519'] },
      ['1.3 ecdsa,rsa: ed25519', '1.3 rsa: refused', '1.2 ecdsa,rsa: ed25519', '1.3 ecdsa,rsa: ed25519'],
    ],
    [
      'RSA-PSS counts as RSA',
      3,
      { versions: both, keyFamilies: ['rsa-pss'] },
      ['1.3 ecdsa,rsa: rsa-pss', '1.3 ecdsa: refused', '1.2 ecdsa,rsa: rsa-pss'],
    ],
    [
      'neither version',
      5,
      { versions: [], keyFamilies: ['rsa'] },
      ['1.3 ecdsa,rsa: refused', '1.2 ecdsa,rsa: refused'],
    ],
  ])('%s', (_name, connections, server, expected) => {
    expect(follow(connections, answerOf(server))).toEqual(expected)
  })

  it('ask each kind alone once the second has come up, wherever it did', () => {
    const shown = ['rsa', 'refused', 'ecdsa', 'rsa', 'ecdsa', 'ecdsa']
    expect(follow(3, (_offer, index) => shown[index] ?? 'refused')).toEqual([
      '1.3 ecdsa,rsa: rsa',
      '1.3 ecdsa: refused',
      '1.2 ecdsa,rsa: ecdsa',
      '1.3 rsa: rsa',
      '1.2 ecdsa: ecdsa',
      '1.2 ecdsa: ecdsa',
    ])
  })

  it('end at once where nothing can be connected to', () => {
    expect(follow(5, () => 'unreachable')).toEqual(['1.3 ecdsa,rsa: unreachable'])
  })

  it('end after two in a row that came to nothing, when something was shown before', () => {
    expect(follow(5, (_offer, index) => (index === 0 ? 'rsa' : 'unreachable'))).toEqual([
      '1.3 ecdsa,rsa: rsa',
      '1.3 ecdsa: unreachable',
      '1.2 ecdsa,rsa: unreachable',
    ])
  })

  it('go on after one that came to nothing', () => {
    expect(follow(5, (_offer, index) => (index === 2 ? 'unreachable' : index === 1 ? 'refused' : 'rsa'))).toHaveLength(
      5,
    )
  })

  it('offer the same again where the next one avoids the reason of the failure', () => {
    const answer = (_offer: PlannedOffer, index: number) => (index === 0 ? 'again' : index === 2 ? 'refused' : 'ecdsa')
    expect(follow(3, answer)).toEqual(['1.3 ecdsa,rsa: again', '1.3 ecdsa,rsa: ecdsa', '1.3 rsa: refused'])
  })

  it('are never more than the number for each kind of key, whatever the server shows', () => {
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    const answers = ['rsa', 'ecdsa', 'ed25519', 'refused', 'unreachable', 'again']
    for (let round = 0; round < 2_000; round++) {
      const connections = 1 + random(6)
      const made = follow(connections, () => answers[random(answers.length)] as string)
      expect(made.length, made.join('\n')).toBeLessThanOrEqual(2 * connections)
      const shown = new Set(made.map((one) => one.split(': ')[1]).filter((one) => /rsa|ecdsa|ed25519/.test(one ?? '')))
      if (shown.size < 2) expect(made.length, made.join('\n')).toBeLessThanOrEqual(connections)
    }
  })
})
