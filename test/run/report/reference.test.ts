/** docs/reference/check.md is made from the tables by which the report is written. */
import { expect, test } from 'vitest'
import * as fields from '../../../src/run/report/fields.ts'
import { checkMetrics } from '../../../src/run/report/metrics-table.ts'
import { formatCheckPage } from '../../../tools/check-page.ts'

test('docs/reference/check.md lists exactly the fields and metrics', async () => {
  await expect(formatCheckPage({ fields, metrics: checkMetrics })).toMatchFileSnapshot(
    '../../../docs/reference/check.md',
  )
})
