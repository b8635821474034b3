/**
 * Builds dist/ from src/: the configuration's grammar, then the compiler, then the files it does not copy.
 *
 * Does nothing when dist/ was made from exactly these sources. The new dist/ takes the old one's place at once, so a
 * program that runs out of it, or another build beside this one, never meets half of one.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { root, runQuietly, SetupError, say } from './run.mjs'

/** Made by tools/grammar.mjs beside the sources; the compiler reads them but does not copy them. */
const generated = ['run/config/grammar.js', 'run/config/grammar.d.ts']

function main() {
  const stamp = join(root, '.cache/build')
  const sources = fingerprint()
  const areGenerated = generated.every((each) => existsSync(join(root, 'src', each)))
  if (areGenerated && existsSync(join(root, 'dist')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) {
    return
  }
  say('building')
  runQuietly(process.execPath, [join(root, 'tools/grammar.mjs')])
  const next = join(root, `.cache/dist-${process.pid}`)
  const last = join(root, `.cache/dist-last-${process.pid}`)
  mkdirSync(join(root, '.cache'), { recursive: true })
  try {
    runQuietly(process.execPath, [compiler(), '-p', 'tsconfig.build.json', '--outDir', next])
    for (const each of generated) cpSync(join(root, 'src', each), join(next, each))
    chmodSync(join(next, 'run/cli/main.js'), 0o755)
    rmSync(stamp, { force: true })
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), last)
    renameSync(next, join(root, 'dist'))
    writeFileSync(stamp, sources)
  } finally {
    rmSync(next, { recursive: true, force: true })
    rmSync(last, { recursive: true, force: true })
  }
}

/** Changes when any file that the build reads does: names, sizes and times, which is what can be had in a moment. */
function fingerprint() {
  const hash = createHash('sha256')
  for (const path of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tools/build.mjs', 'tools/grammar.mjs']) {
    add(path)
  }
  for (const entry of readdirSync(join(root, 'src'), { recursive: true }).sort()) {
    if (!generated.includes(entry)) add(join('src', entry))
  }
  return hash.digest('hex')

  function add(path) {
    const status = statSync(join(root, path))
    if (status.isFile()) hash.update(`${path}\0${status.size}\0${status.mtimeMs}\n`)
  }
}

function compiler() {
  const path = join(root, 'node_modules/typescript/bin/tsc')
  if (!existsSync(path))
    throw new SetupError('node_modules is not there: npm ci, or npm start, which does it by itself')
  return path
}

try {
  main()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
