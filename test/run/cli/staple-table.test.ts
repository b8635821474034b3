/** What `serve -t` concludes from the staples that it found. */
import { expect, test } from 'vitest'
import { formatStaples } from '../../../src/run/cli/staple-table.ts'
import { createStyle } from '../../../src/run/journal/style.ts'
import { stapleStatus } from '../../kit/admin-subject.ts'

const at = new Date('2026-01-02T00:00:00Z')
const fresh = stapleStatus({})
const unsupported = stapleStatus({ stapleState: 'unsupported' })

test.each([
  ['every staple is in', [fresh, unsupported], [], 0],
  ['it has nothing to staple', [unsupported], [], 0],
  ['it has nothing to staple', [], ['server.pem'], 0],
  ['a needed staple is missing', [unsupported], [], 4],
] as const)('`serve -t` ends with "%s" (%#)', (said, entries, unstapled, exitCode) => {
  const text = formatStaples({ entries, unstapled, exitCode }, at, createStyle({}, {}))
  expect(text.trimEnd().split('\n').at(-1)).toContain(said)
})
