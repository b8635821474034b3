import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../src/errors.ts'
import { formatErrorsPage } from '../tools/errors-page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

it('docs/reference/errors.md lists exactly the rows of src/errors.ts', async () => {
  await expect(formatErrorsPage(errorTable)).toMatchFileSnapshot('../docs/reference/errors.md')
})
