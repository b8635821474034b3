import { beforeAll, expect, test } from 'vitest'
import { createContextShelf } from '../../../src/serve/terminator/context-shelf.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'

let leaf: Leaf
let renewed: Leaf
beforeAll(async () => {
  const authority = await createAuthority()
  leaf = await authority.issueLeaf()
  renewed = await authority.issueLeaf()
})

const optionsOf = ({ chainPem, key }: Leaf) => ({ cert: chainPem, key, minVersion: 'TLSv1.2' as const })

test('gives one context for equal options', () => {
  const set = createContextShelf().begin()
  expect(set.of(optionsOf(leaf))).toBe(set.of({ ...optionsOf(leaf) }))
})

test('takes from the set in use what did not change, and builds what did', () => {
  const shelf = createContextShelf()
  const before = shelf.begin()
  const kept = before.of(optionsOf(leaf))
  before.use()
  const next = shelf.begin()
  expect(next.of(optionsOf(leaf))).toBe(kept)
  expect(next.of(optionsOf(renewed))).not.toBe(kept)
  expect(next.of({ ...optionsOf(leaf), minVersion: 'TLSv1.3' })).not.toBe(kept)
})

test('takes nothing from a set that was never used', () => {
  const shelf = createContextShelf()
  const prepared = shelf.begin().of(optionsOf(leaf))
  expect(shelf.begin().of(optionsOf(leaf))).not.toBe(prepared)
})

test('forgets what the set in use does not have', () => {
  const shelf = createContextShelf()
  const first = shelf.begin()
  const gone = first.of(optionsOf(leaf))
  first.use()
  shelf.begin().use()
  expect(shelf.begin().of(optionsOf(leaf))).not.toBe(gone)
})

test("says what OpenSSL says of a key that is another certificate's", () => {
  expect(() =>
    createContextShelf()
      .begin()
      .of({ ...optionsOf(leaf), key: renewed.key }),
  ).toThrow(/key values mismatch/)
})
