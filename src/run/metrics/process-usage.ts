/** What the daemon's own process uses, asked at the moment of a scrape. */
import { readdir } from 'node:fs/promises'
import type { ProcessUsage } from './sample.ts'

/** Asks the system. */
export async function readProcessUsage(): Promise<ProcessUsage> {
  const cpu = process.cpuUsage()
  const memory = process.memoryUsage()
  const files = await readdir('/proc/self/fd').catch(() => undefined)
  return {
    cpuUserSeconds: cpu.user / 1e6,
    cpuSystemSeconds: cpu.system / 1e6,
    residentBytes: memory.rss,
    heapTotalBytes: memory.heapTotal,
    heapUsedBytes: memory.heapUsed,
    externalBytes: memory.external,
    // One of them is the reading itself.
    openFiles: files && files.length - 1,
    nodeVersion: process.version,
  }
}
