/** The pages about configurations say what the keys say, and their examples load. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configuration, groups } from '../../../src/run/config/keys.ts'
import { blockOf, type Key, readBlock } from '../../../src/run/config/type.ts'
import { formatConfigPage, formatDeviationsPage, formatNatsKeysPage } from '../../../tools/config-pages.ts'
import { createAuthority } from '../../kit/authority.ts'
import { loadText } from '../../kit/configuration.ts'
import { readText } from '../../kit/meaning.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { grammarDeviations, meaningDeviations } from './deviations.ts'

const reference = new URL('../../../docs/reference/', import.meta.url)
const example = await readFile(new URL('staplewright.conf', reference), 'utf8')
const top = configuration.parts?.kind === 'block' ? configuration.parts.block : { keys: [], idle: [] }

it('docs/reference/config.md is made of the keys', async () => {
  await expect(formatConfigPage(groups, example)).toMatchFileSnapshot('../../../docs/reference/config.md')
})

it('docs/reference/nats-keys.md is made of the keys', async () => {
  await expect(formatNatsKeysPage(top)).toMatchFileSnapshot('../../../docs/reference/nats-keys.md')
})

it('docs/reference/nats-deviations.md is made of the cases that are tried', async () => {
  const page = formatDeviationsPage(grammarDeviations, meaningDeviations)
  await expect(page).toMatchFileSnapshot('../../../docs/reference/nats-deviations.md')
})

it('loads the complete example without a notice', async () => {
  const workingDirectory = temporaryDirectory('example')
  const authority = await createAuthority()
  for (const name of ['server', 'shop']) {
    const leaf = await authority.issueLeaf({ san: [`${name}.example.net`] })
    await writeFile(join(workingDirectory, `${name}.pem`), leaf.chainPem)
    await writeFile(join(workingDirectory, `${name}-key.pem`), await readFile(leaf.keyFile))
    await writeFile(join(workingDirectory, 'ca.pem'), await readFile(leaf.caFile))
  }
  const ours = example.replace('"CN=Example CA,O=Example"', '"CN=Staplewright Test Intermediate,O=Staplewright Test"')
  const { settings, notices } = await loadText(ours.replace('/var/lib/staplewright', workingDirectory), {
    workingDirectory,
  })
  expect(notices).toEqual([])
  expect(settings.sites.map((site) => site.names)).toEqual([
    ['server.example.net'],
    ['shop.example.net', '*.shop.example.net'],
  ])
})

describe('the example of each key', () => {
  const keys = [...new Map(listKeys(groups.flatMap((group) => group.keys)).map((key) => [key.example, key])).values()]

  it.each(keys.map((key) => [key.name, key] as const))('%s is read', async (_, key) => {
    const document = await readText(`${key.example}\n`)
    expect(document.problems).toEqual([])
    expect([...document.root.entries.keys()]).toEqual([key.name])
    const { block, problems } = readBlock(blockOf({ keys: [key], idle: [] }), document.root)
    expect(problems).toEqual([])
    expect(block.entries.get(key.name)).toBeDefined()
  })
})

function listKeys(keys: readonly Key<unknown>[]): Key<unknown>[] {
  return keys.flatMap((key) => {
    const parts = key.type.parts
    const inner = parts === undefined || parts.kind === 'block' ? parts : parts.item.parts
    return [key, ...(inner?.kind === 'block' ? listKeys(inner.block.keys) : [])]
  })
}
