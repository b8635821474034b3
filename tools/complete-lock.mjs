/**
 * Puts into package-lock.json the optional packages of other platforms that npm left out.
 *
 * Where the registry at hand has no package for some platform, npm writes a lock file without it, and `npm ci` then
 * refuses that lock file everywhere ("Missing: … from lock file"). So after `npm install`: `npm run lock`. The entries have
 * no integrity, because what is not there has none; npm fills it in where it finds them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, say } from './run.mjs'

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']

const path = join(root, 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8'))
let added = 0
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] !== undefined) continue
    lock.packages[`node_modules/${name}`] = describe(name, version)
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
say(`package-lock.json: ${added} packages of other platforms added`)

/** What npm writes about such a package; its name says which platform it is for. */
function describe(name, version) {
  const words = name.split('/').at(-1).split('-')
  const system = systems.find((each) => words.includes(each))
  const processor = processors.find((each) => words.includes(each))
  const library = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined
  return {
    version,
    ...(processor === undefined ? {} : { cpu: [processor] }),
    dev: true,
    ...(system === 'linux' && library !== undefined ? { libc: [library] } : {}),
    optional: true,
    ...(system === undefined ? {} : { os: [system] }),
  }
}
