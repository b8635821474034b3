/** Includes and variables: what they lead to, and what is said when they lead nowhere. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDocument } from '../../../src/run/config/resolve.ts'
import { meaningOf, readText } from '../../kit/meaning.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

describe('variables', () => {
  it('are looked up from the innermost map outwards, among the keys before them', async () => {
    const { root, problems } = await readText('x: outer\na { x: inner, b { c: $x } }\nd: $x\n')
    expect(problems).toEqual([])
    expect(meaningOf(root)).toEqual({ x: 'outer', a: { x: 'inner', b: { c: 'inner' } }, d: 'outer' })
  })

  it('stand for whole maps and lists, in lists too', async () => {
    const { root } = await readText('x: [1, 2]\ny { z: $x }\na: [$x, $y]\n')
    expect(meaningOf(root)).toMatchObject({ a: [[1n, 2n], { z: [1n, 2n] }] })
  })

  it('of the environment are read as values', async () => {
    const environment = { NUMBER: '64kb', LIST: '[a, "b c"]', MAP: '{ a: $NUMBER }', DURATION: '5m' }
    const { root } = await readText('a: $NUMBER\nb: $LIST\nc: $MAP\nd: $DURATION\n', { environment })
    expect(meaningOf(root)).toMatchObject({ a: 65_536n, b: ['a', 'b c'], c: { a: 65_536n } })
    expect(root.entries.get('d')?.value).toMatchObject({ source: '5m', line: 4, column: 4, variable: 'DURATION' })
  })

  it('mark the key that they name', async () => {
    const { root } = await readText('x: 1\ny: 2\na: $x\n')
    expect([...root.entries.values()].map((entry) => [entry.key, entry.isVariable])).toEqual([
      ['x', true],
      ['y', false],
      ['a', false],
    ])
  })

  it('that are not defined are told, each, with their places', async () => {
    const { problems, isWhole } = await readText('a: $one\nb: [$two, 3]\n')
    expect(problems).toMatchObject([
      { line: 1, column: 4, summary: 'the variable $one is not defined' },
      { line: 2, column: 5, summary: 'the variable $two is not defined' },
    ])
    expect(isWhole).toBe(true)
  })

  it('that refer to themselves are told', async () => {
    const { problems } = await readText('a: $ONE\n', { environment: { ONE: '[$TWO ]', TWO: '{ x: $ONE }' } })
    expect(problems).toMatchObject([{ line: 1, column: 4, summary: expect.stringMatching(/\$ONE refers to itself/) }])
  })

  it('of the environment that are no values are told', async () => {
    const { problems } = await readText('a: $ONE\n', { environment: { ONE: 'two words' } })
    expect(problems).toMatchObject([
      {
        line: 1,
        column: 4,
        found: 'the environment variable ONE',
        hint: expect.stringMatching(/put quotes around it/),
      },
    ])
  })

  it('of the environment cannot include files', async () => {
    const { problems } = await readText('a: $ONE\n', { environment: { ONE: '{ include x }' } })
    expect(problems).toMatchObject([{ summary: 'an environment variable cannot include a file' }])
  })

  it('cannot multiply without bound', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `x${index + 1}: [$x${index}, $x${index}]`)
    const { problems, isWhole } = await readText(`x0: [a, b]\n${lines.join('\n')}\n`)
    expect(problems).toMatchObject([{ summary: 'the configuration is too large, or nested too deeply' }])
    expect(isWhole).toBe(false)
  })

  it('cannot nest without bound', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => `x${index + 1}: [$x${index}]`)
    const { problems } = await readText(`x0: a\n${lines.join('\n')}\n`)
    expect(problems).toMatchObject([{ summary: 'the configuration is too large, or nested too deeply' }])
  })
})

describe('included files', () => {
  it('are looked up beside the including file, and places name them', async () => {
    const files = { 'sub/a.conf': '\n  b: 1\ninclude c.conf\n', 'sub/c.conf': 'd: 2\n' }
    const { root, files: read } = await readText('a: 0\ninclude sub/a.conf\n', { files })
    expect(meaningOf(root)).toEqual({ a: 0n, b: 1n, d: 2n })
    const place = root.entries.get('b')?.value
    expect(place).toMatchObject({ line: 2, column: 6 })
    expect(place?.file).toMatch(/\/sub\/a\.conf$/)
    expect(read.map((file) => file.split('/').at(-1))).toEqual(['test.conf', 'a.conf', 'c.conf'])
  })

  it('may be named by an absolute path', async () => {
    const directory = temporaryDirectory('absolute')
    await writeFile(join(directory, 'part.conf'), 'b: 1\n')
    expect(meaningOf((await readText(`include "${join(directory, 'part.conf')}"\n`)).root)).toEqual({ b: 1n })
  })

  it('go into the map that includes them', async () => {
    const { root } = await readText('a { x: 1, include part.conf\n }\nb: [ { include part.conf } ]\n', {
      files: { 'part.conf': 'y: 2\n' },
    })
    expect(meaningOf(root)).toEqual({ a: { x: 1n, y: 2n }, b: [{ y: 2n }] })
  })

  it('give their keys to those who include them, and do not see theirs', async () => {
    const files = { 'part.conf': 'theirs: 1\nseen: $ours\n' }
    const { root, problems } = await readText('ours: 2\ninclude part.conf\na: $theirs\n', { files })
    expect(problems).toMatchObject([{ summary: 'the variable $ours is not defined', line: 2 }])
    expect(meaningOf(root)).toMatchObject({ a: 1n })
  })

  it('that do not exist are told with the place of the include', async () => {
    const { problems, isWhole } = await readText('a: 1\n  include nowhere.conf\n')
    expect(problems).toMatchObject([
      {
        line: 2,
        column: 3,
        path: 'include',
        summary: 'cannot include nowhere.conf: no such file',
        hint: expect.stringMatching(/beside the including file/),
      },
    ])
    expect(isWhole).toBe(false)
  })

  it('that are wrong are told with their own place', async () => {
    const { problems } = await readText('include part.conf\n', { files: { 'part.conf': 'a: [1 2]\n' } })
    expect(problems).toMatchObject([{ line: 1, column: 7, file: expect.stringMatching(/part\.conf$/) }])
  })

  it('that include each other are told', async () => {
    const { problems } = await readText('include a.conf\n', {
      files: { 'a.conf': 'include b.conf\n', 'b.conf': 'include a.conf\n' },
    })
    expect(problems).toMatchObject([
      { summary: 'the files include each other in a circle', file: expect.stringMatching(/b\.conf$/) },
    ])
  })

  it('may be included twice', async () => {
    const { problems } = await readText('a { include p.conf\n }\nb { include p.conf\n }\n', {
      files: { 'p.conf': 'x: 1\n' },
    })
    expect(problems).toEqual([])
  })

  it('cannot multiply without bound', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [
        `f${n}.conf`,
        `a { include f${n + 1}.conf\n }\nb { include f${n + 1}.conf\n }\n`,
      ]),
    )
    const { problems } = await readText('include f0.conf\n', { files: { ...files, 'f12.conf': 'x: 1\n' } })
    expect(problems[0]).toMatchObject({ summary: 'more than 100 files are included' })
  })
})

describe('a key given twice', () => {
  it('counts the last time', async () => {
    const { root } = await readText('a: 1\na: 2\n')
    expect(meaningOf(root)).toEqual({ a: 2n })
    expect(root.entries.get('a')?.overrides).toMatchObject({ line: 1, column: 1 })
  })

  it('is nothing to speak of when the first was used as a variable', async () => {
    const { root } = await readText('a: 1\nb: $a\na: 2\n')
    expect(root.entries.get('a')?.overrides).toBeUndefined()
  })
})

describe('the file itself', () => {
  it('that does not exist is ERR_CONFIG_READ with its absolute path', async () => {
    await expect(readDocument('/nowhere/x.conf', {})).rejects.toMatchObject({
      code: 'ERR_CONFIG_READ',
      message: 'the configuration /nowhere/x.conf cannot be read: no such file',
      detail: { path: '/nowhere/x.conf', reason: 'no such file' },
    })
  })

  it('that is a directory is ERR_CONFIG_READ', async () => {
    await expect(readDocument(temporaryDirectory(), {})).rejects.toMatchObject({
      code: 'ERR_CONFIG_READ',
      detail: { reason: 'it is a directory' },
    })
  })

  it('of more than a megabyte is ERR_CONFIG_READ', async () => {
    const file = join(temporaryDirectory(), 'large.conf')
    await writeFile(file, 'a'.repeat(1_048_577))
    await expect(readDocument(file, {})).rejects.toMatchObject({
      code: 'ERR_CONFIG_READ',
      detail: { reason: expect.stringMatching(/1048577 bytes/) },
    })
  })

  it('that ends before its outer brace is closed is read, and a notice asks whether it is complete', async () => {
    const { root, notices } = await readText('{ a: 1\n')
    expect(meaningOf(root)).toEqual({ a: 1n })
    expect(notices).toMatchObject([{ line: 2, column: 1, message: expect.stringMatching(/is it complete/) }])
  })

  it('with a brace too many is read, with a notice', async () => {
    const { notices } = await readText('a: 1 }\n')
    expect(notices).toMatchObject([{ line: 1, column: 6, message: 'this closing brace closes nothing' }])
  })
})
