// CPU time of a process and everything below it, from /proc: utime + stime of /proc/PID/stat,
// with the reaped children. That file counts in ticks of 10 ms; the scheduler keeps the same sum in
// nanoseconds per thread (/proc/PID/task/TID/schedstat), which is used where it agrees with the ticks.

import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10

/** Process ids of `root` and of all its descendants. */
export function processTree(root) {
  const children = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readStat(Number(name))
    if (stat === undefined) continue
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (let index = 0; index < tree.length; index++) tree.push(...(children.get(tree[index]) ?? []))
  return tree
}

/**
 * Read how much CPU time a process tree has used so far.
 *
 * @returns a reading for {@link cpuBetween}; the tree is looked up anew each time, so workers that come later count
 */
export function readCpu(root) {
  let ticks = 0
  let nanoseconds = 0n
  for (const pid of processTree(root)) {
    const stat = readStat(pid)
    if (stat === undefined) continue
    ticks += stat.ticks
    nanoseconds += readScheduled(pid)
  }
  return { ticks, nanoseconds }
}

/** CPU time in milliseconds between two readings of the same tree. */
export function cpuBetween(before, after) {
  const coarse = (after.ticks - before.ticks) * TICK_MS
  const fine = Number(after.nanoseconds - before.nanoseconds) / 1e6
  // A thread or a child that ended in between takes its nanoseconds with it; the ticks stay with the process.
  return Math.abs(fine - coarse) <= 4 * TICK_MS ? fine : coarse
}

function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command is in parentheses and may itself hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number)
    return { parent: Number(fields[1]), ticks: utime + stime + cutime + cstime }
  } catch {
    return undefined
  }
}

function readScheduled(pid) {
  let sum = 0n
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += BigInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    }
  } catch {}
  return sum
}
