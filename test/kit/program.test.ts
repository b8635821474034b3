import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { freePort } from './free-port.ts'
import { isInstalled, runProgram, startProgram } from './program.ts'

/** A killed process whose parent is gone stays a zombie where nobody collects it, as in containers. */
const isRunning = (pid: number) => {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

it('waits for a line, and for one after another', async () => {
  const program = startProgram('sh', ['-c', 'echo one; read line; echo "got $line" >&2; sleep 60'])
  await program.waitFor('one')
  const from = program.output().length
  program.write('two\n')
  expect((await program.waitFor(/got (\w+)/, 5000, from))[1]).toBe('two')
  expect([program.stdout(), program.stderr()]).toEqual(['one\n', 'got two\n'])
})

it('shows its output when it ends before it wrote what was waited for', async () => {
  const program = startProgram('sh', ['-c', 'echo no such port >&2; exit 3'], { name: 'server' })
  await expect(program.waitFor('ready')).rejects.toThrow(/server: ended before it wrote ready.*code 3.*no such port/s)
  const port = await freePort()
  await expect(program.waitForPort(port)).rejects.toThrow(/no such port/)
})

it('ends a program that ignores SIGTERM, and the children it left', async () => {
  const script = 'trap "" TERM; sleep 60 & echo child $!; wait; wait'
  const program = startProgram('sh', ['-c', script], { graceMs: 50 })
  const child = Number((await program.waitFor(/child (\d+)/))[1])
  expect(isRunning(child)).toBe(true)
  expect(await program.end()).toEqual({ code: null, signal: 'SIGKILL' })
  await expect.poll(() => isRunning(child)).toBe(false)
})

it('runs a program to its end, whatever its code, and rejects only for time', async () => {
  expect(await runProgram('sh', ['-c', 'cat; echo bad >&2; exit 4'], { input: 'in' })).toMatchObject({
    code: 4,
    stdout: 'in',
    stderr: 'bad\n',
  })
  await expect(runProgram('sh', ['-c', 'echo begun; sleep 60'], { timeoutMs: 200 })).rejects.toThrow(/200 ms.*begun/s)
  expect(await runProgram('no-such-program', [])).toMatchObject({
    code: 127,
    stderr: expect.stringContaining('ENOENT'),
  })
})

it('knows what is installed', () => {
  expect([isInstalled('openssl'), isInstalled('no-such-program')]).toEqual([true, false])
})
