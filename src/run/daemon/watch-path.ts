/**
 * What a path depends on: each name on its way, in the directory where it is looked up, symbolic links followed.
 *
 * Kubernetes mounts `tls.crt -> ..data/tls.crt` and `..data -> ..2026_11_21`, and renames another `..data` over it: the
 * name that changes is none of the path as it is written.
 */
import { lstat, readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, parse, sep } from 'node:path'

/** A name, and the directory in which a change of it is reported. */
export interface Place {
  readonly directory: string
  readonly name: string
}

/** Traces a path as far as it leads at this moment; its last place is where it ends, or where something is missing. */
export async function tracePath(path: string): Promise<Place[]> {
  const places: Place[] = []
  let directory = parse(path).root
  let names = namesOf(path)
  let links = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      // No link stands in `directory` any more, so this is what the system takes.
      directory = dirname(directory)
      continue
    }
    places.push({ directory, name })
    const target = await readLink(join(directory, name))
    if (target === 'missing' || links > mostLinks) break
    if (target === 'no link') {
      directory = join(directory, name)
      continue
    }
    links++
    if (isAbsolute(target.link)) directory = parse(target.link).root
    names = [...namesOf(target.link), ...names]
  }
  return places
}

async function readLink(path: string): Promise<{ link: string } | 'missing' | 'no link'> {
  try {
    return (await lstat(path)).isSymbolicLink() ? { link: await readlink(path) } : 'no link'
  } catch {
    return 'missing'
  }
}

function namesOf(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '' && name !== '.')
}

/** As many as Linux follows. */
const mostLinks = 40
