/** Which certificate each one replaces when a configuration is loaded again. */
import { describe, expect, test } from 'vitest'
import type { Certificate } from '../../../src/pki/x509/certificate.ts'
import type { CertificateSettings, SiteSettings } from '../../../src/run/config/index.ts'
import { pairSlots, type Slot, shownIn } from '../../../src/run/daemon/slots.ts'
import { createAuthority } from '../../kit/authority.ts'

const families: Readonly<Record<'ec' | 'rsa', Certificate>> = {
  ec: (await createAuthority()).root.certificate,
  rsa: (await createAuthority({ keyType: 'rsa2048' })).root.certificate,
}

type Written = readonly [key: string, file: string, family?: 'ec' | 'rsa']

function certificate([certificateKey, certFile, family = 'ec']: Written): CertificateSettings {
  return { certificateKey, certFile, label: certFile, leaf: families[family] } as CertificateSettings
}

function site(names: readonly string[], ...certificates: Written[]): SiteSettings {
  return { names, certificates: certificates.map(certificate) } as unknown as SiteSettings
}

const at = (second: number) => new Date(second * 1_000)

/** What each slot wants and shows after configurations that were loaded one after the other, a second apart. */
function load(...configurations: readonly (readonly SiteSettings[])[]): string[] {
  return slotsOf(...configurations).map(
    ({ site: { names }, wanted, old }) =>
      `${names[0]}: ${old ? `${old.certificateKey} until ` : ''}${wanted.certificateKey}`,
  )
}

function slotsOf(...configurations: readonly (readonly SiteSettings[])[]): Slot[] {
  return configurations.reduce<Slot[]>((before, sites, second) => pairSlots(before, { sites }, at(second)), [])
}

/** Every gate opens. */
function opened(slots: readonly Slot[]): Slot[] {
  return slots.map((slot) => ({ ...slot, old: undefined }))
}

test('at the start nothing is replaced', () => {
  expect(load([site(['a.test'], ['A', 'a.pem'])])).toEqual(['a.test: A'])
})

describe('a certificate takes the place of', () => {
  test('the one that its file held before', () => {
    expect(load([site(['a.test'], ['A', 'a.pem'])], [site(['a.test'], ['B', 'a.pem'])])).toEqual(['a.test: A until B'])
  })

  test('the one of its site, where the file has another name', () => {
    expect(load([site(['a.test'], ['A', '1.pem'])], [site(['A.TEST'], ['B', '2.pem'])])).toEqual(['A.TEST: A until B'])
  })

  test('the one of its file, where the site has other names', () => {
    expect(load([site(['a.test'], ['A', 'a.pem'])], [site(['b.test'], ['B', 'a.pem'])])).toEqual(['b.test: A until B'])
  })

  test('the default one, where that has gone with its names', () => {
    expect(load([site(['a.test'], ['A', '1.pem'])], [site(['b.test'], ['B', '2.pem'])])).toEqual(['b.test: A until B'])
  })

  test('one of the other family, where the file has changed from RSA to EC', () => {
    const before = [site(['a.test'], ['A', 'a.pem', 'rsa'])]
    expect(load(before, [site(['a.test'], ['B', 'a.pem', 'ec'])])).toEqual(['a.test: A until B'])
  })

  test('one of its own family, where two files have swapped theirs', () => {
    const before = [site(['a.test'], ['R', '1.pem', 'rsa'], ['E', '2.pem', 'ec'])]
    const later = [site(['a.test'], ['E2', '1.pem', 'ec'], ['R2', '2.pem', 'rsa'])]
    expect(load(before, later)).toEqual(['a.test: E until E2', 'a.test: R until R2'])
  })

  test('none, where it is another site beside the old ones', () => {
    const old = site(['a.test'], ['A', 'a.pem'])
    expect(load([old], [site(['b.test'], ['B', 'b.pem']), old])).toEqual(['b.test: B', 'a.test: A'])
  })

  test('none, where it is of a second family beside the first', () => {
    const before = [site(['a.test'], ['E', 'e.pem', 'ec'])]
    const later = [site(['a.test'], ['E', 'e.pem', 'ec'], ['R', 'r.pem', 'rsa'])]
    expect(load(before, later)).toEqual(['a.test: E', 'a.test: R'])
  })
})

describe('several sites with one file', () => {
  const before = [site(['a.test'], ['A', 'x.pem']), site(['b.test'], ['A', 'x.pem'])]

  test('each shows the old one until the new one is ready', () => {
    const later = [site(['a.test'], ['B', 'x.pem']), site(['b.test'], ['B', 'x.pem'])]
    expect(load(before, later)).toEqual(['a.test: A until B', 'b.test: A until B'])
  })

  test('a certificate that one of them shows already is not taken for ready in the other', () => {
    const mixed = [site(['a.test'], ['A', '1.pem']), site(['b.test'], ['B', '2.pem'])]
    const later = [site(['a.test'], ['B', '2.pem']), site(['b.test'], ['B', '2.pem'])]
    expect(load(mixed, later)).toEqual(['a.test: A until B', 'b.test: B'])
  })

  test('another site that comes to a file whose gate is closed waits with it', () => {
    const one = [site(['a.test'], ['A', 'x.pem'])]
    const renewed = [site(['a.test'], ['B', 'x.pem'])]
    expect(load(one, renewed, [...renewed, site(['c.test'], ['B', 'x.pem'])])).toEqual([
      'a.test: A until B',
      'c.test: A until B',
    ])
  })
})

describe('while a gate is closed', () => {
  const a = [site(['a.test'], ['A', 'a.pem'])]
  const b = [site(['a.test'], ['B', 'a.pem'])]

  test('a reload of the same changes nothing, nor since when it waits', () => {
    expect(load(a, b, b, b)).toEqual(['a.test: A until B'])
    expect(slotsOf(a, b, b, b)[0]?.since).toEqual(at(1))
  })

  test('a third certificate waits behind the one that is shown', () => {
    expect(load(a, b, [site(['a.test'], ['C', 'a.pem'])])).toEqual(['a.test: A until C'])
    expect(slotsOf(a, b, [site(['a.test'], ['C', 'a.pem'])])[0]?.since).toEqual(at(2))
  })

  test('the way back to the one that is shown is open', () => {
    expect(load(a, b, a)).toEqual(['a.test: A'])
  })
})

test('what was replaced is not held on to', () => {
  const a = [site(['a.test'], ['A', 'a.pem'])]
  const b = [site(['a.test'], ['B', 'a.pem'])]
  let slots = slotsOf(a)
  for (let round = 0; round < 10; round++) slots = opened(pairSlots(slots, { sites: round % 2 ? a : b }, at(round)))
  expect(slots.map((slot) => [shownIn(slot).certificateKey, slot.old])).toEqual([['A', undefined]])
})

test('a thousand sites are paired in a moment', () => {
  const sites = (letter: string) =>
    Array.from({ length: 1_000 }, (_, n) => site([`${n}.test`], [`${letter}${n}`, `${n}.pem`]))
  const before = pairSlots([], { sites: sites('A') }, at(0))
  const started = performance.now()
  const later = pairSlots(before, { sites: sites('B') }, at(1))
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(later.every((slot, n) => slot.old?.certificateKey === `A${n}`)).toBe(true)
})
