import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { inspectArchitecture, readFloors } from '../tools/architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

it('src/ keeps to the floors, doors and packages of ARCHITECTURE.md', () => {
  expect(inspectArchitecture(root)).toEqual([])
})

describe('the list of floors', () => {
  it('puts what an arrow joins one step apart, and what a bar separates on one step', () => {
    expect(
      readFloors('```floors\n2  keep  clock.ts → fetch | store\n```').map(({ path, step }) => [path, step]),
    ).toEqual([
      ['keep/clock.ts', 0],
      ['keep/fetch', 1],
      ['keep/store', 1],
    ])
  })

  it('is refused when the page has none', () => {
    expect(() => readFloors('# Architecture')).toThrow('no ```floors block')
  })

  it('is refused when a line cannot be read', () => {
    expect(() => readFloors('```floors\nkeep fetch\n```')).toThrow('keep fetch')
  })
})

describe('a tree that breaks a rule is reported', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'an import from a higher floor',
      { 'serve/attach/a.ts': "import { b } from '../../run/config/b.ts'" },
      'serve/attach imports run/config: up one floor (serve/attach/a.ts)',
    ],
    [
      'an import two floors up, of a type',
      { 'keep/keeper/a.ts': "export type { b } from '../../run/config/b.ts'" },
      'keep/keeper imports run/config: up two floors (keep/keeper/a.ts)',
    ],
    [
      'an import in a type expression',
      { 'pki/der/a.ts': "export type B = import('../../keep/fetch/b.ts').B" },
      'pki/der imports keep/fetch: up one floor (pki/der/a.ts)',
    ],
    [
      'a dynamic import',
      { 'pki/der/a.ts': "export const b = () => import('../../keep/fetch/b.ts')" },
      'pki/der imports keep/fetch: up one floor (pki/der/a.ts)',
    ],
    [
      'an import of what a bar separates',
      { 'keep/fetch/a.ts': "import '../store/b.ts'" },
      'keep/fetch imports keep/store: side by side on floor 2, blind to each other (keep/fetch/a.ts)',
    ],
    [
      'an import of another line of the floor',
      { 'serve/attach/a.ts': "import '../../check/peer/b.ts'" },
      'serve/attach imports check/peer: side by side on floor 4, blind to each other (serve/attach/a.ts)',
    ],
    [
      'an import of what comes later on the line',
      { 'run/config/a.ts': "import '../cli/b.ts'" },
      'run/config imports run/cli: listed after it on floor 5 (run/config/a.ts)',
    ],
    ['a folder that is on no floor', { 'front/a.ts': '' }, 'front/a.ts is on no floor of ARCHITECTURE.md'],
    [
      'a planned folder that has come',
      { 'serve/publish/a.ts': '' },
      'serve/publish is there: take its parentheses away in ARCHITECTURE.md',
    ],
    [
      'a node module in pki',
      { 'pki/der/a.ts': "import 'node:fs'" },
      'pki/der/a.ts reaches for node:fs: no door for it there',
    ],
    [
      'a node module in pki without its prefix',
      { 'pki/der/a.ts': "import 'crypto'" },
      'pki/der/a.ts reaches for node:crypto: no door for it there',
    ],
    [
      'another node module in the file that may import one',
      { 'pki/x509/crypto.ts': "import 'node:crypto'\nimport 'node:net'" },
      'pki/x509/crypto.ts reaches for node:net: no door for it there',
    ],
    [
      'the hour',
      { 'keep/fetch/a.ts': 'export const now = () => Date.now()' },
      'keep/fetch/a.ts reaches for Date.now: no door for it there',
    ],
    [
      'the hour as a date',
      { 'keep/fetch/a.ts': 'export const now = () => new Date()' },
      'keep/fetch/a.ts reaches for new Date(): no door for it there',
    ],
    [
      'a timer',
      { 'keep/fetch/a.ts': 'setTimeout(() => {}, 5)' },
      'keep/fetch/a.ts reaches for setTimeout: no door for it there',
    ],
    [
      'a timer passed on',
      { 'keep/fetch/a.ts': 'export const timers = { setTimeout }' },
      'keep/fetch/a.ts reaches for setTimeout: no door for it there',
    ],
    [
      'a timer by import',
      { 'keep/fetch/a.ts': "import { setTimeout as sleep } from 'node:timers/promises'" },
      'keep/fetch/a.ts reaches for node:timers/promises: no door for it there',
    ],
    [
      'chance',
      { 'keep/fetch/a.ts': 'export const roll = Math.random' },
      'keep/fetch/a.ts reaches for Math.random: no door for it there',
    ],
    [
      'the end of the process',
      { 'run/cli/a.ts': 'process.exit(1)' },
      'run/cli/a.ts reaches for process.exit: no door for it there',
    ],
    ['printing', { 'run/cli/a.ts': "console.log('a')" }, 'run/cli/a.ts reaches for console: no door for it there'],
    [
      'top-level await',
      { 'run/cli/a.ts': 'await Promise.resolve()\nexport {}' },
      'run/cli/a.ts reaches for top-level await: no door for it there',
    ],
    [
      'a door that nothing goes through',
      { 'keep/clock.ts': '' },
      'ARCHITECTURE.md lets keep/clock.ts reach for performance.now, which it does not: close the door',
    ],
    [
      'a package outside its folders',
      { 'keep/fetch/a.ts': "import 'commander'" },
      'keep/fetch/a.ts imports commander: only run/cli may',
    ],
    [
      'a package that the page does not name',
      { 'keep/fetch/a.ts': "import 'undici'" },
      'keep/fetch/a.ts imports undici: ARCHITECTURE.md gives no reason for that package',
    ],
    [
      'a cycle',
      { 'keep/fetch/a.ts': "import './b.ts'", 'keep/fetch/b.ts': "import './a.ts'" },
      'import cycle: keep/fetch/a.ts → keep/fetch/b.ts → keep/fetch/a.ts',
    ],
    ['a folder name that says nothing', { 'keep/fetch/utils/a.ts': '' }, 'keep/fetch/utils/a.ts: "utils" says nothing'],
    ['a file name in camel case', { 'keep/fetch/certId.ts': '' }, 'keep/fetch/certId.ts: names are kebab-case'],
    [
      'a banned verb',
      { 'keep/fetch/a.ts': 'export function getStaple(): void {}' },
      'keep/fetch/a.ts: "getStaple" uses a banned word',
    ],
    [
      'a banned noun',
      { 'keep/fetch/a.ts': 'export const stapleHelper = 1' },
      'keep/fetch/a.ts: "stapleHelper" uses a banned word',
    ],
    [
      'state shared by importers',
      { 'keep/fetch/a.ts': 'export let transport = 1' },
      'keep/fetch/a.ts: "transport" is state that every importer shares',
    ],
    [
      'a file that does not say what lives there',
      { 'keep/fetch/a.ts': 'export const a = 1' },
      'keep/fetch/a.ts does not open with a comment that says what lives there',
    ],
    [
      'a long file without a reason',
      { 'keep/fetch/a.ts': '\n'.repeat(501) },
      'keep/fetch/a.ts has 501 lines and its first comment does not say "because"',
    ],
  ])('%s', (_rule, files, violation) => {
    expect(inspectArchitecture(tree(files))).toContain(violation)
  })

  it('a package in package.json that the page does not name', () => {
    const directory = tree({})
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ dependencies: { commander: '1', got: '1' } }))
    expect(inspectArchitecture(directory)).toEqual([
      'got: no reason for it in ARCHITECTURE.md',
      'got is a dependency that nothing in src/ imports',
    ])
  })
})

describe('a tree that keeps the rules is not reported', () => {
  it.each<[string, Record<string, string>]>([
    ['an import down', { 'serve/attach/a.ts': "import '../../pki/der/b.ts'" }],
    ['an import back along the line', { 'run/cli/a.ts': "import '../config/b.ts'\nimport 'commander'" }],
    ['a date made from a number', { 'keep/fetch/a.ts': 'export const epoch = new Date(0)' }],
    [
      "a socket's own setTimeout",
      { 'keep/fetch/a.ts': "import { Socket } from 'node:net'\nnew Socket().setTimeout(5)" },
    ],
    [
      'await in a function',
      { 'keep/fetch/a.ts': 'export const a = async () => { await 1; for await (const b of []) b }' },
    ],
    ['a long file with a reason', { 'keep/fetch/a.ts': `/** Long because it is a table. */${'\n'.repeat(501)}` }],
  ])('%s', (_rule, files) => {
    expect(inspectArchitecture(tree(opened(files)))).toEqual([])
  })

  it('a program that opens with its interpreter', () => {
    const files = { 'run/cli/a.ts': '#!/usr/bin/env node\n/** What it runs. */\n' }
    expect(inspectArchitecture(tree(files))).toEqual([])
  })
})

/** The files, each opening with a comment unless it has one. */
function opened(files: Record<string, string>): Record<string, string> {
  const entries = Object.entries(files)
  return Object.fromEntries(
    entries.map(([path, text]) => [path, text.startsWith('/') ? text : `/** Here. */\n${text}`]),
  )
}

/** A small src/ with these files beside the ones that its page needs. */
function tree(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'staplewright-architecture-'))
  directories.push(directory)
  const all = {
    'src/keep/clock.ts': '/** Time. */\nexport const now = (): number => performance.now()',
    'src/pki/x509/crypto.ts': "/** Hashes. */\nimport 'node:crypto'",
    'src/run/cli/main.ts': "/** The program. */\nimport 'commander'",
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`src/${path}`, text])),
    'ARCHITECTURE.md': page,
    'package.json': JSON.stringify({ dependencies: { commander: '1' } }),
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  for (const place of [
    'run/config',
    'serve/attach',
    'check/peer',
    'keep/keeper',
    'keep/fetch',
    'keep/store',
    'pki/der',
  ]) {
    mkdirSync(join(directory, 'src', place), { recursive: true })
  }
  return directory
}

const page = `
\`\`\`floors
5  run    config → cli
4  serve  attach → (publish)
4  check  peer
3  keep   keeper
2  keep   clock.ts → fetch | store
1  pki    der → x509
\`\`\`

## Doors to the outside

| file | reaches for | why |
|---|---|---|
| \`keep/clock.ts\` | performance.now | it is the clock |
| \`pki/x509/crypto.ts\` | node:crypto | it is the door |

## Packages

| package | where in src/ | why |
|---|---|---|
| \`commander\` | \`run/cli\` | the command line |
`
