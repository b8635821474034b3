// Memory of a process and everything below it, from /proc: the proportional set size (PSS), so that pages which several
// processes of a tree share are counted once. Of a single process it is what RSS is, but for the libraries it shares.

import { readFileSync } from 'node:fs'
import { processTree } from './cpu.mjs'

/** Bytes of memory that a process tree holds now. */
export function readMemory(root) {
  let kilobytes = 0
  for (const pid of processTree(root)) {
    try {
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1])
    } catch (error) {
      // A process that ended meanwhile holds nothing.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    }
  }
  return kilobytes * 1024
}

/** How many files a process may open here: the hard limit, to which a child's own is raised. */
export function mostOpenFiles() {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))[1]
  return limit === 'unlimited' ? 1 << 20 : Number(limit)
}

/** The same program, allowed to open as many files as the machine lets it. */
export function withOpenFiles(program) {
  const { command, args } = program
  return { ...program, command: 'sh', args: ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', command, ...args] }
}
