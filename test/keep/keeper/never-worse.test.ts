/** Every state of an entry beside every answer: what is held afterwards, and what is said of it. */
import { describe, expect, test } from 'vitest'
import { judgeState } from '../../../src/keep/keeper/entry.ts'
import { isServable } from '../../../src/keep/keeper/window.ts'
import type { VerifiedOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { answer, asking, fetched, hour, minute, networkError, noon, type Walk } from './crafted.ts'

/** Two hours ago: the thisUpdate of everything that is held here. */
const base = noon - 2 * hour

const states: Readonly<Record<string, () => Walk>> = {
  missing: () => asking(),
  fresh: () => holding({ nextUpdate: noon + 22 * hour }),
  due: () => holding({ nextUpdate: noon + hour }),
  stale: () => holding({ nextUpdate: noon + minute }),
  revoked: () => holding({ certStatus: 'revoked', nextUpdate: noon + 22 * hour }),
  'revoked, stale': () => holding({ certStatus: 'revoked', nextUpdate: noon + minute }),
  'revoked, not stapleable': () =>
    holding({ certStatus: 'revoked', nextUpdate: noon + 22 * hour, isContradictory: true }),
  unknown: () => holding({ certStatus: 'unknown', nextUpdate: noon + 22 * hour }),
  'fresh, unknown': () => {
    const walk = holding({ nextUpdate: noon + 22 * hour })
    walk.take({ type: 'refresh-asked' })
    walk.take(fetched(answer({ certStatus: 'unknown', thisUpdate: base, nextUpdate: noon + 22 * hour })))
    return walk
  },
}

const answers: Readonly<Record<string, (walk: Walk) => VerifiedOcspResponse | 'error'>> = {
  'good, older': () => answer({ thisUpdate: base - hour, nextUpdate: noon + 10 * hour }),
  'good, same': (walk) =>
    answer({ thisUpdate: base, nextUpdate: walk.entry.held?.effectiveNextUpdate ?? noon + 22 * hour }),
  'good, longer': () => answer({ thisUpdate: base, nextUpdate: noon + 30 * hour }),
  'good, newer': () => answer({ thisUpdate: noon - minute, nextUpdate: noon + 30 * hour }),
  'revoked, older': () => answer({ certStatus: 'revoked', thisUpdate: base - hour, nextUpdate: noon + 10 * hour }),
  'revoked, equal': () => answer({ certStatus: 'revoked', thisUpdate: base, nextUpdate: noon + 22 * hour }),
  'revoked, newer': () => answer({ certStatus: 'revoked', thisUpdate: noon - minute, nextUpdate: noon + 30 * hour }),
  contradictory: () =>
    answer({ certStatus: 'revoked', thisUpdate: noon - minute, nextUpdate: noon + 30 * hour, isContradictory: true }),
  'unknown, older': () => answer({ certStatus: 'unknown', thisUpdate: base - hour, nextUpdate: noon + 10 * hour }),
  'unknown, newer': () => answer({ certStatus: 'unknown', thisUpdate: noon - minute, nextUpdate: noon + 30 * hour }),
  'too large': () => answer({ thisUpdate: noon - minute, nextUpdate: noon + 30 * hour, size: 16_001 }),
  error: () => 'error',
}

/**
 * Rows: what is held. Columns: the answers in the order above. A cell says what is held afterwards (`=` what was held
 * before, `+` the answer, `-` nothing) and the state then: f(resh), d(ue), s(tale), r(evoked), u(nknown), m(issing).
 */
const table = `
                          older same longer newer | r.older r.equal r.newer contra | u.older u.newer large error
missing                 | +f    +f   +f     +f      +r      +r      +r      -r       -u      -u      -m    -m
fresh                   | =f    =f   +f     +f      =f      +r      +r      -r       =f      =u      =f    =f
due                     | =d    =d   +f     +f      =d      +r      +r      -r       =d      =u      =d    =d
stale                   | +f    =s   +f     +f      +r      +r      +r      -r       =s      =u      =s    =s
revoked                 | =r    =r   =r     +f      =r      =r      +r      =r       =r      =r      =r    =r
revoked, stale          | =r    =r   =r     +f      +r      +r      +r      =r       =r      =r      =r    =r
revoked, not stapleable | -r    -r   -r     +f      -r      +r      +r      -r       -r      -r      -r    -r
unknown                 | +u    +f   +f     +f      +r      +r      +r      -r       -u      -u      -u    -u
fresh, unknown          | =u    =f   +f     +f      =u      +r      +r      -r       =u      =u      =u    =u
`
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [name = '', cells = ''] = line.split('|')
    return { name: name.trim(), cells: cells.trim().split(/\s+/) }
  })

const letters: Readonly<Record<string, string>> = {
  f: 'fresh',
  d: 'due',
  s: 'stale',
  r: 'revoked',
  u: 'unknown',
  m: 'missing',
}
const cases = table.flatMap(({ name, cells }) =>
  Object.keys(answers).map((answerName, index) => ({ name, answerName, cell: cells[index] ?? '?' })),
)

function holding(first: {
  certStatus?: 'good' | 'revoked' | 'unknown'
  nextUpdate: number
  isContradictory?: boolean
}): Walk {
  const walk = asking({}, base)
  walk.take(fetched(answer({ thisUpdate: base, ...first })))
  walk.take({ type: 'refresh-asked' }, noon)
  walk.take({ type: 'loaded', response: undefined })
  return walk
}

describe('never worse', () => {
  test('the table has a cell for every state and every answer', () => {
    expect(table.map(({ name }) => name)).toEqual(Object.keys(states))
    expect(table.map(({ cells }) => cells.length)).toEqual(table.map(() => Object.keys(answers).length))
  })

  test.each(cases)('$name, then $answerName: $cell', ({ name, answerName, cell }) => {
    const walk = states[name]?.() as Walk
    const before = walk.entry.held
    const next = answers[answerName]?.(walk) as VerifiedOcspResponse | 'error'
    walk.take({ type: 'refresh-asked' })
    walk.take(next === 'error' ? { type: 'fetch-failed', error: networkError() } : fetched(next))
    const { held } = walk.entry
    const holds = held === undefined ? '-' : held === before || held.der === before?.der ? '=' : '+'
    expect({ holds, state: judgeState(walk.entry, walk.now) }).toEqual({
      holds: cell[0],
      state: letters[cell[1] ?? ''],
    })
    if (holds === '+' && next !== 'error') expect(held?.der).toBe(next.der)
  })

  test('no answer but a revocation ends a servable staple', () => {
    for (const { name, answerName } of cases) {
      const walk = states[name]?.() as Walk
      const before = walk.entry.held
      if (before === undefined || !isServable(before, noon)) continue
      const next = answers[answerName]?.(walk) as VerifiedOcspResponse | 'error'
      walk.take({ type: 'refresh-asked' })
      walk.take(next === 'error' ? { type: 'fetch-failed', error: networkError() } : fetched(next))
      const isRevocation = next !== 'error' && next.certStatus === 'revoked'
      const { held } = walk.entry
      expect(isRevocation || (held !== undefined && isServable(held, noon)), `${name}, then ${answerName}`).toBe(true)
    }
  })
})
