/** The demo as a person meets it: once for scripts, plain lines in a pipe, keys on a terminal. */
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { programFile } from '../kit/daemon.ts'
import { runProgram, startProgram } from '../kit/program.ts'

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('staplewright-demo-'))

describe('demo --once', () => {
  test('prints the staple that a client got, as a strict client sees it, and ends with 0', async () => {
    const before = leftovers()
    const { code, stdout, stderr } = await runProgram(process.execPath, [programFile, 'demo', '--once'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/✓ handshake {2}TLSv1\.3 .*chain and name accepted; the backend said HTTP\/1\.1 200 OK/)
    expect(stdout).toMatch(/✓ staple {5}\d+ bytes, certStatus good/)
    expect(stdout).toMatch(/thisUpdate +\d\d:\d\d:\d\dZ \(.* ago\)/)
    expect(stdout).toMatch(/nextUpdate +\d\d:\d\d:\d\dZ \(in (1 min|5\d s)\)/)
    expect(stdout).toMatch(/signer +CN=Staplewright Demo CA, the issuer itself/)
    expect(stdout).toMatch(/strict client +accepts/)
    expect(code).toBe(0)
    expect(leftovers()).toEqual(before)
  })

  test('takes the next free port when 8443 is taken, and fails on a taken --port', async () => {
    const holder = createServer()
    const isOurs = await new Promise<boolean>((resolve) => {
      holder.once('error', () => resolve(false)) // taken by another already: as good
      holder.listen(8443, '127.0.0.1', () => resolve(true))
    })
    try {
      const free = await runProgram(process.execPath, [programFile, 'demo', '--once'])
      expect(free.stdout).toMatch(/front +https:\/\/localhost:84(4[4-9]|5\d|6[0-2])\//)
      expect(free.code).toBe(0)
      const strict = await runProgram(process.execPath, [programFile, 'demo', '--once', '--port', '8443'])
      expect(strict.stderr).toMatch(/^error: cannot listen on 127\.0\.0\.1:8443/)
      expect(strict.code).toBe(1)
    } finally {
      if (isOurs) holder.close()
    }
  })
})

describe('the demo in a pipe', () => {
  test('prints plain lines, what to type, and ends in order on SIGTERM', async () => {
    const program = startProgram(process.execPath, [programFile, 'demo'])
    const [, port] = await program.waitFor(/front +https:\/\/localhost:(\d+)\//)
    await program.waitFor('The staple is replaced')
    expect(program.stdout()).toContain(`openssl s_client -connect 127.0.0.1:${port} `)
    expect(program.stdout()).not.toContain('\u001b[')
    const [, command = ''] = /(openssl s_client .*) <\/dev\/null/.exec(program.stdout()) ?? []
    const seen = await runProgram('sh', ['-c', `${command} </dev/null`])
    expect(seen.output).toContain('OCSP Response Status: successful')
    expect(seen.output).toContain('Verify return code: 0 (ok)')
    program.kill('SIGTERM')
    expect((await program.ended).code).toBe(0)
  })
})

describe('the demo on a terminal', () => {
  test('r stops and starts the responder, k revokes and lifts, q quits', async () => {
    // `script` gives it a terminal.
    const program = startProgram('script', ['-qec', `${process.execPath} ${programFile} --no-color demo`, '/dev/null'])
    await program.waitFor('q quit')
    program.write('c')
    await program.waitFor(/client {2}saw good/)
    program.write('r')
    await program.waitFor('the responder is down')
    program.write('a')
    await program.waitFor(/connection refused[^]*serves on until/)
    program.write('r')
    await program.waitFor(/the responder answers again after/, 20_000)
    program.write('k')
    await program.waitFor(
      /the CA says REVOKED[^]*client {2}saw revoked.*a strict client refuses the connection/,
      20_000,
    )
    const from = program.output().length
    await new Promise((resolve) => setTimeout(resolve, 1_100)) // the next answer must be of another second
    program.write('k')
    await program.waitFor(/the CA lifted the revocation: good[^]*client {2}saw good/, 20_000, from)
    program.write('q')
    expect((await program.ended).code).toBe(0)
  })
})
