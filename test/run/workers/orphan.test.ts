import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { awaitPrimary, hasOrphans, relieveOrphans, relieving } from '../../../src/run/workers/orphan.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { runProgram } from '../../kit/program.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { until } from '../../serve/tls-client.ts'

function setUp() {
  const directory = temporaryDirectory('orphan')
  const socket = join(directory, 'control.sock')
  const said: string[] = []
  return {
    directory,
    socket,
    said,
    relief: { socket, clock: systemClock, say: ({ text }: { text: string }) => said.push(text) },
  }
}

const taken = (networkCode = 'EADDRINUSE') =>
  new StapleError('ERR_TERMINATOR_LISTEN', 'taken', { address: '127.0.0.1:1', networkCode })

describe('an orphan', () => {
  it('is found by its socket, which only its user may use, and lets go when it is asked', async () => {
    const { socket, directory } = setUp()
    expect(await hasOrphans(socket)).toBe(false)
    let asked = 0
    const stop = awaitPrimary({ socket, pid: 41 }, () => asked++)
    endsWithTest(stop)
    await until(() => existsSync(`${socket}.41`))
    expect(statSync(`${socket}.41`).mode & 0o777).toBe(0o600)
    expect(await hasOrphans(socket)).toBe(true)
    expect(await relieveOrphans(socket, systemClock)).toBe(1)
    expect(asked).toBe(1)
    stop()
    await until(() => readdirSync(directory).length === 0)
  })

  it('that is gone is swept away, and other files are left alone', async () => {
    const { socket, directory } = setUp()
    const program = `require('net').createServer().listen(${JSON.stringify(`${socket}.42`)}, () => process.kill(process.pid, 'SIGKILL'))`
    await runProgram(process.execPath, ['-e', program])
    for (const name of ['control.sock.note', 'control.sock', 'other.43']) writeFileSync(join(directory, name), '')
    expect(readdirSync(directory)).toContain('control.sock.42')
    expect(await relieveOrphans(socket, systemClock)).toBe(0)
    await until(() => !existsSync(`${socket}.42`))
    expect(readdirSync(directory).sort()).toEqual(['control.sock', 'control.sock.note', 'other.43'])
  })

  it('that does not answer is not waited for long', async () => {
    const { socket } = setUp()
    const server = createServer(() => {})
    await new Promise<void>((resolve) => server.listen(`${socket}.44`, resolve))
    endsWithTest(() => server.close())
    expect(await relieveOrphans(socket, systemClock)).toBe(0)
  })
})

describe('an attempt to listen', () => {
  it('is made once more when orphans have let go', async () => {
    const { socket, relief, said } = setUp()
    let isFree = false
    endsWithTest(
      awaitPrimary({ socket, pid: 45 }, () => {
        isFree = true
      }),
    )
    await until(() => existsSync(`${socket}.45`))
    const attempt = async () => {
      if (!isFree) throw taken()
      return 'mine'
    }
    expect(await relieving(relief, attempt)).toBe('mine')
    expect(said).toEqual(['workers of an earlier process let go of the port: 1'])
  })

  it('fails as it did when nobody lets go, or for another reason', async () => {
    const { relief, said } = setUp()
    let attempts = 0
    const fail = (error: Error) => async () => {
      attempts++
      throw error
    }
    await expect(relieving(relief, fail(taken()))).rejects.toThrow('taken')
    await expect(relieving(relief, fail(taken('EACCES')))).rejects.toThrow('taken')
    await expect(relieving(relief, fail(new TypeError('bad')))).rejects.toThrow('bad')
    expect([attempts, said]).toEqual([3, []])
  })
})
