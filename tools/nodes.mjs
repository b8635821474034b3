/** The Node versions of tools/nodes, by major, for tests and benchmarks. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

/**
 * Finds the program of every Node version in tools/nodes/package.json.
 *
 * @returns {readonly { major: number, program: string }[]} the lowest first
 * @throws when one is not installed
 */
export function nodeVersions() {
  const manifest = JSON.parse(readFileSync(join(root, 'tools/nodes/package.json'), 'utf8'))
  return Object.keys(manifest.optionalDependencies).map((name) => {
    const program = join(root, 'tools/nodes/node_modules', name, 'bin/node')
    if (!existsSync(program)) throw new Error(`${program} is not there: npm test installs it`)
    return { major: Number(name.replace('node', '')), program }
  })
}
