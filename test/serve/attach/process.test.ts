/** What only shows in a process of its own: that waiting keeps it alive, that nothing of ours keeps it from ending. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { type ProgramResult, runProgram } from '../../kit/program.ts'
import { createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const directory = temporaryDirectory('process')

let responder: ScriptedResponder
let leaf: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  responder = await createScriptedResponder({ authority })
  leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
})

/** Runs lines of a script, with `tls` and `staple` at hand, to the end of its process. */
async function run(name: string, lines: string): Promise<ProgramResult> {
  const contents = `
    import { readFileSync } from 'node:fs'
    import { createServer, connect } from 'node:tls'
    import { staple } from ${JSON.stringify(join(root, 'src/index.ts'))}
    const tls = { cert: readFileSync(${JSON.stringify(leaf.certificateFile)}), key: readFileSync(${JSON.stringify(leaf.keyFile)}) }
    ${lines}`
  const outfile = join(directory, `${name}.mjs`)
  await build({ stdin: { contents, resolveDir: root }, outfile, bundle: true, platform: 'node', format: 'esm' })
  return runProgram(process.execPath, [outfile])
}

describe('a process', () => {
  it('that awaits its staples while the responder is down goes on after the start timeout', async () => {
    await responder.behave('refuse')
    const { code, output } = await run(
      'waits',
      `const stapler = await staple(createServer(tls), { ...tls, startTimeoutMs: 400 })
       console.log('pending', stapler.pending.length, stapler.pending[0].lastError.code)
       await stapler.close()`,
    )
    await responder.behave('good')
    expect({ code, output }).toEqual({ code: 0, output: 'pending 1 ERR_FETCH_FAILED\n' })
  })

  it('ends by itself when its server does, though the stapler was not closed', async () => {
    const { code } = await run(
      'ends',
      'const server = createServer(tls); await staple(server, tls); server.listen(0, () => server.close())',
    )
    expect(code).toBe(0)
  })

  it('is not ended by a handshake that goes wrong inside, on any version of Node', async () => {
    const { code, output } = await run(
      'survives',
      `const server = createServer(tls, (socket) => socket.end('served'))
       const stapler = await staple(server, tls)
       stapler.subscribe(() => {})
       server.listen(0, () => {
         // The event as Node would emit it for bytes that are no certificate.
         server.emit('OCSPRequest', Buffer.from('no certificate, and quite some bytes of it'), null, () => console.log('answered'))
         server.emit('OCSPRequest', null, null, () => console.log('answered'))
         const client = connect({ port: server.address().port, rejectUnauthorized: false, requestOCSP: true })
         client.on('OCSPResponse', (response) => console.log(response.length > 0))
         client.on('data', (data) => console.log(String(data)))
         client.on('close', () => server.close())
       })`,
    )
    expect({ code, output }).toEqual({ code: 0, output: 'answered\nanswered\ntrue\nserved\n' })
  })
})
