/** docs/reference/api.md is made from the tables by which the doors pick what they send. */
import { expect, test } from 'vitest'
import { formatStaples, formatStatus, frontFields, stapleFields, statusFields } from '../../../src/run/admin/shape.ts'
import { formatApiPage } from '../../../tools/api-page.ts'
import { daemonStatus, stapleStatus } from '../../kit/admin-subject.ts'

test('docs/reference/api.md lists exactly the fields', async () => {
  const tables = { status: statusFields, staple: stapleFields, front: frontFields }
  await expect(formatApiPage(tables)).toMatchFileSnapshot('../../../docs/reference/api.md')
})

const at = new Date('2026-01-01T00:00:00Z')

test('what the daemon knows besides is not sent', async () => {
  const staple = { ...stapleStatus(), secret: 1 }
  const status = { ...daemonStatus({ staples: [staple] }), secret: 1, front: { ...daemonStatus().front, secret: 1 } }
  expect(await formatStatus(status, at)).not.toContain('secret')
  expect(await formatStaples(status, at)).not.toContain('secret')
})

test.each([0, 1, 99, 100, 101, 1_234])('%i staples are all told, as one JSON that people can read', async (count) => {
  const staples = Array.from({ length: count }, (_, index) => stapleStatus({ label: `${index}.pem` }))
  const text = await formatStatus(daemonStatus({ staples }), at)
  const told = JSON.parse(text)
  expect(Object.keys(told)).toEqual(Object.keys(statusFields).filter((name) => name !== 'lastReload'))
  expect(told.staples.map(({ label }: { label: string }) => label)).toEqual(staples.map(({ label }) => label))
  expect(text).toBe(`${JSON.stringify(told, null, 2)}\n`)
  expect(await formatStaples({ staples }, at)).toBe(`${JSON.stringify({ at, staples: told.staples }, null, 2)}\n`)
})

test('others have their turn while many are told', async () => {
  const staples = Array.from({ length: 1_000 }, () => stapleStatus())
  let turns = 0
  const turn = () => {
    turns += 1
    if (!isDone) setImmediate(turn)
  }
  let isDone = false
  setImmediate(turn)
  await formatStaples({ staples }, at)
  isDone = true
  expect(turns).toBeGreaterThanOrEqual(9)
})
