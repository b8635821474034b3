/** docs/reference/api.md is made from the tables by which the doors pick what they send. */
import { expect, test } from 'vitest'
import { frontFields, shapeStaples, shapeStatus, stapleFields, statusFields } from '../../../src/run/admin/shape.ts'
import { formatApiPage } from '../../../tools/api-page.ts'
import { daemonStatus, stapleStatus } from '../../kit/admin-subject.ts'

test('docs/reference/api.md lists exactly the fields', async () => {
  const tables = { status: statusFields, staple: stapleFields, front: frontFields }
  await expect(formatApiPage(tables)).toMatchFileSnapshot('../../../docs/reference/api.md')
})

test('what the daemon knows besides is not sent', () => {
  const at = new Date('2026-01-01T00:00:00Z')
  const staple = { ...stapleStatus(), secret: 1 }
  const status = { ...daemonStatus({ staples: [staple] }), secret: 1, front: { ...daemonStatus().front, secret: 1 } }
  expect(JSON.stringify([shapeStatus(status, at), shapeStaples(status, at)])).not.toContain('secret')
})
