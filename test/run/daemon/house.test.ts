/** What a house shows, what it needs staples of, and what its doors wait for. */
import { describe, expect, test } from 'vitest'
import { createKeeper } from '../../../src/keep/keeper/index.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { awaitedIn, certificateKeysOf, type House, planHouse } from '../../../src/run/daemon/house.ts'
import { askAgain } from '../../../src/run/daemon/refresh.ts'
import { createRoster } from '../../../src/run/daemon/roster.ts'
import { pairSlots, type Slot } from '../../../src/run/daemon/slots.ts'
import { fakeFetcher, live } from '../../keep/keeper/fake-fetcher.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { loadText } from '../../kit/configuration.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

const authority = await createAuthority()
const one = await authority.issueLeaf({ mustStaple: true, san: ['a.test'], serialHex: '0ABC01' })
const two = await authority.issueLeaf({ mustStaple: true, san: ['a.test'] })
const other = await authority.issueLeaf({ mustStaple: true, san: ['b.test'] })
const keyOf = (leaf: Leaf) => certificateKey(leaf.der)

function configOf(...leaves: readonly Leaf[]): string {
  const sites = leaves.map(
    (leaf) =>
      `{ names: ["${leaf === other ? 'b' : 'a'}.test"], tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" } }`,
  )
  return `listen: "127.0.0.1:0"\nbackend: "tcp://127.0.0.1:1"\nocsp { mode: must }\nsites [ ${sites.join('\n')} ]\n`
}

/** A house that was loaded with the first configuration, and then with the second. */
async function build(first: string, second: string = first) {
  const clock = manualClock(new Date())
  const fetcher = fakeFetcher(clock, authority)
  fetcher.behave = live(86_400_000)
  const keeper = createKeeper({ store: memoryStore(), fetcher, clock })
  endsWithTest(() => keeper.close())
  const roster = createRoster(keeper, clock)
  let slots: readonly Slot[] = []
  for (const text of [first, second]) slots = pairSlots(slots, (await loadText(text)).settings, clock.now())
  const settings = { sites: [...new Set(slots.map(({ site }) => site))] } as unknown as House['settings']
  const enrolment = roster.add(
    settings,
    slots.flatMap(({ site, old }) => (old ? [{ site, certificate: old }] : [])),
  )
  const house = { settings, slots, enrolment, roster, keeping: { keeper, close: () => keeper.close() } } as House
  return { clock, house, fetcher, keeper }
}

const shown = (house: House) =>
  planHouse({
    slots: house.slots,
    settings: { ...house.settings, timeouts: {}, limits: {} } as House['settings'],
  }).sites.map((site) => site.certificates.map((each) => each.certificateKey))

test('without gates: what is wanted is shown, needed and awaited', async () => {
  const { house } = await build(configOf(one, other))
  expect(shown(house)).toEqual([[keyOf(one)], [keyOf(other)]])
  expect([...certificateKeysOf(house)]).toEqual([keyOf(one), keyOf(other)])
  expect(awaitedIn(house).map((each) => each.certificateKey)).toEqual([keyOf(one), keyOf(other)])
})

test('behind a gate: the old one is shown, both are needed, and neither is awaited', async () => {
  const { house } = await build(configOf(one, other), configOf(two, other))
  expect(shown(house)).toEqual([[keyOf(one)], [keyOf(other)]])
  expect(new Set(certificateKeysOf(house))).toEqual(new Set([keyOf(one), keyOf(two), keyOf(other)]))
  expect(awaitedIn(house).map((each) => each.certificateKey)).toEqual([keyOf(other)])
})

describe('asking again', () => {
  test.each([
    ['all', undefined, [one, two, other]],
    ['a file', two.certificateFile, [two]],
    ['the file of the one that is shown', one.certificateFile, [one]],
    ['the name of a site, with the one that waits', 'a.test', [one, two]],
    ['a serial number as openssl writes it', '0A:BC:01', [one]],
    ['the beginning of its certificateKey', keyOf(other).slice(0, 8).toUpperCase(), [other]],
    ['too short a beginning', keyOf(other).slice(0, 7), []],
    ['nobody', 'c.test', []],
  ] as const)('%s', async (_, which, leaves) => {
    const { clock, house, fetcher } = await build(configOf(one, other), configOf(two, other))
    await clock.advance(1_000)
    fetcher.requests.length = 0
    const asked = askAgain(house, which)
    await clock.advance(1_000)
    const { failed } = await asked
    expect(failed).toEqual([])
    const keys = fetcher.requests.map(({ question }) => certificateKey(question.certificate.der))
    expect(new Set(keys)).toEqual(new Set(leaves.map(keyOf)))
  })
})
