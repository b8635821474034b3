import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../src/errors.ts'
import { groups } from '../src/run/config/keys.ts'
import type { Key, Type } from '../src/run/config/type.ts'
import { ExitCode } from '../src/run/daemon/exit-code.ts'
import { readDocumented, readDoor } from '../tools/docstrings.ts'
import { formatErrorsPage } from '../tools/errors-page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pages = [...markdownIn('.', false), ...markdownIn('docs', true)]
const sources = filesIn('src', '.ts')

describe('error codes', () => {
  it('docs/reference/errors.md lists exactly the rows of src/errors.ts', async () => {
    await expect(formatErrorsPage(errorTable)).toMatchFileSnapshot('../docs/reference/errors.md')
  })

  it('each is reported somewhere in src/', () => {
    const text = sources.filter((path) => path !== 'src/errors.ts').map(read)
    expect(Object.keys(errorTable).filter((code) => !text.some((each) => each.includes(code)))).toEqual([])
  })

  it('each that a page mentions is in the table', () => {
    for (const page of pages) {
      const mentioned = read(page).match(/\bERR_[A-Z0-9]+_[A-Z0-9_]+/g) ?? []
      expect(
        mentioned.filter((code) => !Object.hasOwn(errorTable, code)),
        page,
      ).toEqual([])
    }
  })
})

describe('defaults', () => {
  const page = read('docs/defaults.md')
  const constants = groups.flatMap(({ keys }) => keys.flatMap(withInner)).filter((key) => key.default !== undefined)

  it.each(constants.map((key) => `${key.name}: ${key.default}`))('docs/defaults.md says why `%s`', (written) => {
    expect(page).toContain(`\`${written}\``)
  })

  it('what docs/defaults.md gives as a default is one', () => {
    const cells = page.split('\n').map((row) => row.split(' | ')[1] ?? '')
    const written = cells.flatMap((cell) => [...cell.matchAll(/`([a-z_0-9]+: [^`]+)`/g)].map(([, text]) => text))
    expect(written.filter((text) => !constants.some((key) => `${key.name}: ${key.default}` === text))).toEqual([])
  })
})

describe('links', () => {
  it.each(pages)('%s leads somewhere', (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = targets.filter((target) => !/^https?:/.test(target) && !isThere(page, target))
    expect(broken).toEqual([])
  })
})

describe('commands', () => {
  it('docs/guide/front.md lists exactly the exit codes', () => {
    const rows = read('docs/guide/front.md').match(/^\| \d+ \|/gm) ?? []
    expect(rows.map((row) => Number(row.slice(2, -2)))).toEqual(Object.values(ExitCode))
  })

  it.each(pages)('%s names only npm scripts that exist', (page) => {
    const scripts = [...read(page).matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name)
    expect(scripts.filter((name) => manifest.scripts[name] === undefined)).toEqual([])
  })
})

describe('docstrings', () => {
  const doors = Object.values(manifest.exports as Record<string, string | { default: string }>)
    .flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
    .map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))

  it.each(doors)('every value that %s exports has one', (door) => {
    const exported = readDoor(join(root, door))
    const bare = exported.filter(
      ({ file, name }) =>
        !readDocumented(file).some((each) => each.name === name && (each.isType || each.docstring !== '')),
    )
    expect(exported).not.toEqual([])
    expect(bare.map(({ file, name }) => `${name} (${relative(root, file)})`)).toEqual([])
  })
})

/** A key and those inside its block, list or map. */
function withInner(key: Key<unknown>): Key<unknown>[] {
  return [key, ...keysOf(key.type)]
}

function keysOf({ parts }: Type<unknown>): Key<unknown>[] {
  if (parts === undefined) return []
  return parts.kind === 'block' ? parts.block.keys.flatMap(withInner) : keysOf(parts.item)
}

function markdownIn(directory: string, isDeep: boolean): string[] {
  return filesIn(directory, '.md', isDeep)
}

function filesIn(directory: string, ending: string, isDeep = true): string[] {
  return readdirSync(join(root, directory), { recursive: isDeep, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => join(directory, path))
    .sort()
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function isThere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, file))) return false
  if (anchor === undefined) return true
  const headings = read(file).match(/^#+ .*$/gm) ?? []
  return headings.some((heading) => slug(heading) === anchor)
}

/** A heading's anchor, as the usual renderers make it. */
function slug(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
