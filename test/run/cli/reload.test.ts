/** `staplewright reload`: what it prints and how it ends. */
import { describe, expect, test } from 'vitest'
import { openAdminDoor } from '../../kit/admin-door.ts'
import { runCommand } from '../../kit/io.ts'

describe('a reload', () => {
  test('that is done is told on stdout, exit code 0', async () => {
    const { configFile, subject } = await openAdminDoor()
    expect(await runCommand(['reload', '-c', configFile])).toEqual({ code: 0, stdout: 'reloaded\n', stderr: '' })
    expect(subject.asked).toEqual(['reload'])
  })

  test('that is refused prints each problem, exit code 1', async () => {
    const { socket, subject } = await openAdminDoor()
    const problems = [
      '/a.conf:1:2: backend: is missing\n  found: nothing\n  hint: add one',
      '/a.conf:3:4: tls: is empty',
    ]
    subject.reloading = async () => ({ isDone: false, message: 'not reloaded; what was in force goes on', problems })
    expect(await runCommand(['reload', '--socket', socket])).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        'error: not reloaded; what was in force goes on',
        'error: /a.conf:1:2: backend: is missing',
        '  found: nothing',
        '  hint: add one',
        'error: /a.conf:3:4: tls: is empty',
        '',
      ].join('\n'),
    })
  })

  test('is told as it came, with --json, and with the same exit code', async () => {
    const { socket, subject } = await openAdminDoor()
    subject.reloading = async () => ({ isDone: false, message: 'no' })
    const { code, stdout } = await runCommand(['reload', '--socket', socket, '--json'])
    expect({ code, outcome: JSON.parse(stdout) }).toEqual({ code: 1, outcome: { isDone: false, message: 'no' } })
  })
})

test.each([
  ['nobody answers', ['--socket', '/nowhere/s'], 3],
  ['the configuration is not there', ['-c', '/nowhere.conf'], 2],
  ['two places are named', ['-c', 'a', '--socket', 's'], 2],
  ['a word is unknown', ['--url', 'http://localhost:1'], 2],
])('when %s, nothing is reloaded', async (_, words, expected) => {
  const { code, stdout, stderr } = await runCommand(['reload', ...words])
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
  expect(stderr).toMatch(/^error: /)
})

test('another daemon than that of the configuration is not reloaded', async () => {
  const { configFile, subject } = await openAdminDoor()
  subject.current = { ...subject.current, configFile: '/etc/other.conf' }
  expect((await runCommand(['reload', '-c', configFile])).code).toBe(3)
  expect(subject.asked).toEqual([])
})
