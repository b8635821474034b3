/** `staplewright refresh`: who is asked about, what is printed, how it ends. */
import { describe, expect, test } from 'vitest'
import { openAdminDoor } from '../../kit/admin-door.ts'
import { runCommand } from '../../kit/io.ts'

describe('a refresh', () => {
  test('of all that is answered ends with 0', async () => {
    const { socket, subject } = await openAdminDoor()
    expect(await runCommand(['refresh', '--socket', socket])).toEqual({
      code: 0,
      stdout: 'answered  server.pem\n',
      stderr: '',
    })
    expect(subject.asked).toEqual(['refresh'])
  })

  test('of one passes its name on as it was written', async () => {
    const { socket, subject } = await openAdminDoor()
    expect((await runCommand(['refresh', '--socket', socket, 'a b&c=ü%.pem'])).code).toBe(0)
    expect(subject.asked).toEqual(['refresh a b&c=ü%.pem'])
  })

  test('of which some failed says which and why, and ends with 1', async () => {
    const { socket, subject } = await openAdminDoor()
    const failed = [{ label: 'b.pem', message: 'every responder failed:\nhttp://a/: refused' }]
    subject.refreshing = async () => ({ asked: ['a.pem', 'b.pem'], failed })
    expect(await runCommand(['refresh', '--socket', socket])).toEqual({
      code: 1,
      stdout: 'answered  a.pem\nfailed    b.pem: every responder failed:\n          http://a/: refused\n',
      stderr: '',
    })
  })

  test('of what nobody is called is a matter of usage: 2, with a hint', async () => {
    const { socket, subject } = await openAdminDoor()
    subject.refreshing = async () => ({ asked: [], failed: [] })
    const { code, stdout, stderr } = await runCommand(['refresh', '--socket', socket, 'nobody'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: .*"nobody"\n {2}hint: `staplewright status`/)
  })

  test('where nothing is kept says so', async () => {
    const { socket, subject } = await openAdminDoor()
    subject.refreshing = async () => ({ asked: [], failed: [] })
    expect(await runCommand(['refresh', '--socket', socket])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nobody was asked'),
    })
  })

  test('is told as it came, with --json', async () => {
    const { socket } = await openAdminDoor()
    const { stdout } = await runCommand(['refresh', '--socket', socket, '--json'])
    expect(JSON.parse(stdout)).toEqual({ asked: ['server.pem'], failed: [] })
  })
})

test.each([
  ['nobody answers', ['--socket', '/nowhere/s'], 3],
  ['the configuration is not there', ['-c', '/nowhere.conf'], 2],
  ['more is named than one', ['a', 'b'], 2],
])('when %s, nobody is asked', async (_, words, expected) => {
  const { code, stdout, stderr } = await runCommand(['refresh', ...words])
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
  expect(stderr).toMatch(/^error: /)
})
