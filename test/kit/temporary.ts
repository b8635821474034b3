/** Temporary directories that are gone when the process is, and swept by the next one when it was killed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'staplewright-test-'
const directories = new Set<string>()
let isSwept = false

/** Makes an empty directory, removed when this process ends. */
export function temporaryDirectory(purpose = 'x'): string {
  if (!isSwept) sweep()
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${purpose}-`))
  directories.add(directory)
  return directory
}

/** Test workers may be killed: what a dead process left behind goes with the next one that starts. */
function sweep(): void {
  isSwept = true
  process.once('exit', () => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  })
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (!pid || isAlive(Number(pid))) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
