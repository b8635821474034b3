#!/usr/bin/env node
/**
 * What `npm start`, `npm test` and `npm run bench` run: brings the checkout into the state the job needs, then does it.
 *
 * `start` needs the npm packages and the build; `test` and `bench` also the programs of tools/debian-packages.mjs and
 * the Node versions of tools/nodes. What comes after the job's name is passed on to it.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  build,
  environmentWithServers,
  installDebianPackages,
  installNodes,
  installNpmPackages,
  requireNode,
} from './prepare.mjs'
import { root, runHere, runQuietly, SetupError, say } from './run.mjs'

const jobs = { start, test, bench }

/** The demo, with everything embedded. */
async function start(args) {
  build()
  return runHere(process.execPath, ['dist/run/cli/main.js', 'demo', ...args])
}

/** Every check, the quick ones first: the tests run when those are clean. With arguments, only the tests they name: `npm test -- test/pki`. */
async function test(args) {
  installDebianPackages('test')
  installNodes()
  build()
  const environment = environmentWithServers()
  if (args.length > 0) return runTests(args, environment)

  const areClean = [
    check('format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings']),
    check('types', 'node_modules/typescript/bin/tsc', ['--noEmit']),
    check('nothing unused', 'node_modules/knip/bin/knip.js', []),
  ]
  return areClean.every(Boolean) ? runTests(args, environment) : 1
}

async function runTests(args, environment) {
  const results = join(root, '.cache/test-results.json')
  mkdirSync(join(root, '.cache'), { recursive: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const code = await runHere(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], {
    env: environment,
  })
  if (code !== 0 || args.length > 0) return code

  const skipped = JSON.parse(readFileSync(results, 'utf8')).testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed').map(({ fullName }) => fullName),
  )
  if (skipped.length === 0) return 0
  say(`skipped, because it takes root or another system:\n  ${skipped.join('\n  ')}`)
  return process.env.CI || process.getuid?.() === 0 ? 1 : 0
}

/** The measurements that docs/benchmarks.md records; with arguments, only those named: `npm run bench -- handshake`. */
async function bench(args) {
  installDebianPackages('bench')
  installNodes()
  build()
  return runHere(process.execPath, ['bench/run.mjs', ...args], { env: environmentWithServers() })
}

/** Runs a check and says how it went; false when it failed, so that the others still run. */
function check(what, program, args) {
  const started = performance.now()
  try {
    runQuietly(process.execPath, [join(root, program), ...args])
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${what}: not clean\n${error.message}`)
    return false
  }
  say(`${what}: clean (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return true
}

try {
  const [job, ...args] = process.argv.slice(2)
  if (!Object.hasOwn(jobs, job ?? '')) throw new SetupError('usage: node tools/setup.mjs start|test|bench [ARGUMENTS]')
  requireNode()
  installNpmPackages(root, existsSync(join(root, 'node_modules')) ? 'changed npm packages' : 'npm packages')
  process.exitCode = await jobs[job](args)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
