// What a figure depends on: the machine and the versions of the programs measured.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository that this bench is part of. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** One line about the machine. */
export function describeMachine() {
  const cpus = os.cpus()
  let system = `${os.type()} ${os.release()}`
  if (existsSync('/etc/os-release')) {
    system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? system
  }
  return `${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown processor'}, ${system}, Linux ${os.release()}`
}

/** First match of `pattern` in what a program says about its version, or `undefined` when it is not installed. */
export function programVersion(command, args, pattern) {
  try {
    const output = execFileSync('sh', ['-c', `${[command, ...args].join(' ')} 2>&1`], { encoding: 'utf8' })
    return pattern.exec(output)?.[1]
  } catch {
    return undefined
  }
}

/**
 * Find the Node binaries to measure: this one, those of tools/nodes, those named.
 *
 * @param {{ majors?: string, paths?: string[] }} wanted
 * @returns {{ name: string, version: string, path: string }[]} one per major, the lowest first
 */
export function findNodes({ majors = '20,24', paths = [] }) {
  const candidates = [...paths, process.execPath]
  const modules = path.join(repository, 'tools/nodes/node_modules')
  if (existsSync(modules)) {
    for (const entry of readdirSync(modules)) candidates.push(path.join(modules, entry, 'bin/node'))
  }
  const found = new Map()
  for (const candidate of candidates.filter((file) => existsSync(file))) {
    const version = programVersion(candidate, ['--version'], /v(\d+\.\d+\.\d+)/)
    if (version === undefined) continue
    const major = version.split('.')[0]
    if (!found.has(major)) found.set(major, { name: `Node ${major}`, version, path: path.resolve(candidate) })
  }
  return majors
    .split(',')
    .map((major) => found.get(major.trim()))
    .filter((node) => node !== undefined)
}
