/** What is said of a command line, and of the files that it names. */
import { expect, test } from 'vitest'
import { runCommand } from '../../kit/io.ts'

test('a stranger who wrote the file of targets moves no cursor', async () => {
  const stdin = 'a\u001b[2Jb:1\nb.example starttls=\u202ex\n'
  const { code, stderr } = await runCommand(['check', '-f', '-'], { stdin })
  expect(code).toBe(3)
  expect(stderr).toContain('standard input:1: "a\\u{1b}[2Jb:1": not a host and a port\n  hint: ')
  expect(['\u001b', '\u202e'].filter((mover) => stderr.includes(mover))).toEqual([])
  expect(stderr).toContain('starttls "\\u{202e}x" is not known\n')
})
