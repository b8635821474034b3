// Memory of a process and everything below it, from /proc: the anonymous part of the proportional set size (PSS). Pages that
// several processes of a tree share are counted once; files that are mapped, the program's own text above all, are left
// out, since their share depends on who else on the machine happens to run the same program.

import { readFileSync } from 'node:fs'
import { processTree } from './cpu.mjs'

/** Bytes of anonymous memory that a process tree holds now. */
export function readMemory(root) {
  let kilobytes = 0
  for (const pid of processTree(root)) {
    try {
      kilobytes += Number(/^Pss_Anon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1])
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
