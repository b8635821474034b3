/**
 * A directory of certificates with their keys, as tools leave them: which files belong together.
 *
 * `NAME.pem` with `NAME-key.pem`, `NAME.crt` with `NAME.key`, and in a directory of its own `tls.crt` with `tls.key`, as
 * Kubernetes mounts them. Anything else is passed over; a certificate without its key is said.
 */
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Report } from './report.ts'
import { describeReadFailure } from './resolve.ts'
import type { Located } from './type.ts'

/** More are hardly meant. */
const maxPairs = 1_000

export interface DirectoryPair {
  /** As logs name it: below the directory as written. */
  readonly certFile: string
  readonly keyFile: string
  /** What tells it from the others in the directory. */
  readonly name: string
}

/** Lists the pairs of a directory, by name; none when that was refused. */
export async function listCertDir(
  given: Located<string>,
  path: string,
  workingDirectory: string,
  report: Report,
): Promise<readonly DirectoryPair[]> {
  const directory = resolve(workingDirectory, given.value)
  const expected = 'a directory with NAME.pem and NAME-key.pem, NAME.crt and NAME.key, or NAME/tls.crt and NAME/tls.key'
  const refuse = (summary: string, found: string, hint: string): [] => {
    report.refuse(given.at, path, { summary, found, expected, hint })
    return []
  }
  let names: readonly string[]
  try {
    names = await listNames(directory)
  } catch (cause) {
    const isFile = (cause as NodeJS.ErrnoException).code === 'ENOTDIR'
    const reason = isFile ? 'it is not a directory' : describeReadFailure(cause)
    return refuse(
      `cannot be read: ${reason}`,
      directory,
      isFile
        ? 'name one certificate with cert_file and key_file'
        : `relative paths are looked up in the working directory, ${workingDirectory}`,
    )
  }
  const there = new Set(names)
  const pairs: DirectoryPair[] = []
  for (const name of names) {
    const keyName = keyNameOf(name)
    if (keyName === undefined) continue
    if (there.has(keyName)) {
      pairs.push({ certFile: join(given.value, name), keyFile: join(given.value, keyName), name })
    } else {
      report.note(given.at, path, `${join(directory, name)} is passed over: there is no ${keyName} beside it`)
    }
  }
  if (pairs.length === 0) {
    return refuse(
      'holds no certificate with its key',
      `${directory}: ${describeNames(names)}`,
      'see how they are named',
    )
  }
  if (pairs.length > maxPairs) {
    return refuse('holds too many certificates', `${pairs.length} in ${directory}`, `at most ${maxPairs} are read`)
  }
  return pairs
}

/** Files of the directory, and of directories in it those that Kubernetes would have there. */
async function listNames(directory: string): Promise<string[]> {
  const names: string[] = []
  // What begins with a dot is the mechanics of a mounted volume.
  for (const name of (await readdir(directory)).filter((each) => !each.startsWith('.')).sort()) {
    const found = await stat(join(directory, name)).catch(() => undefined)
    if (found?.isFile()) names.push(name)
    if (!found?.isDirectory()) continue
    const inside = await readdir(join(directory, name)).catch(() => [] as string[])
    names.push(...['tls.crt', 'tls.key'].filter((each) => inside.includes(each)).map((each) => join(name, each)))
  }
  return names
}

function keyNameOf(name: string): string | undefined {
  if (name.endsWith('.crt')) return `${name.slice(0, -4)}.key`
  return name.endsWith('.pem') && !name.endsWith('-key.pem') ? `${name.slice(0, -4)}-key.pem` : undefined
}

function describeNames(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  return names.slice(0, 4).join(', ') + (names.length > 4 ? `, and ${names.length - 4} more` : '')
}
