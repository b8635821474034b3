/**
 * Loaded into a program with `--import`: on SIGUSR2 it collects its garbage and writes what is left of it, as JSON on
 * stdout. For tests that ask whether something is held on to.
 */
import { Server } from 'node:tls'
import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

process.on('SIGUSR2', async () => {
  // Finalizers run in turns of their own, and free what the next collection finds.
  for (let round = 0; round < 3; round++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const servers = queryObjects?.(Server, { format: 'count' })
  process.stdout.write(`${JSON.stringify({ heapUsed, external, rss, servers })}\n`)
})
