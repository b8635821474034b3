/** A backend that is there and never answers. */
import { connect } from 'node:net'
import { endsWithTest } from '../../kit/lifetime.ts'
import { startProgram } from '../../kit/program.ts'

/** A port whose backlog is full: Linux drops further SYNs, so that connecting hangs. */
export async function listenWithoutAccepting(): Promise<number> {
  const script = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('fs').writeSync(1, 'port ' + s.address().port + '\\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`
  const program = startProgram(process.execPath, ['-e', script])
  const port = Number((await program.waitFor(/port (\d+)/))[1])
  for (let index = 0; index < 3; index++) {
    const filler = connect({ port, host: '127.0.0.1' })
    filler.on('error', () => {})
    endsWithTest(() => filler.destroy())
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  return port
}
