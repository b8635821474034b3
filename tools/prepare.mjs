/**
 * Brings a checkout into the state a job needs: npm packages, other Node versions, Debian packages, the build.
 *
 * Each step looks first and does nothing when nothing is missing, so a second run costs a moment. Node builtins only:
 * nothing is installed yet when this runs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { debianPackages } from './debian-packages.mjs'
import { root, runQuietly, SetupError, say } from './run.mjs'

/** Refuses a Node that `engines` in package.json does not admit. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isAdmitted = major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)
  if (!isAdmitted) throw new SetupError(`needs Node ^20.19.0, ^22.12.0 or >=24, and this is ${process.version}`)
}

/** Installs the npm packages of the lock file in `directory`, when they are absent or older than it. */
export function installNpmPackages(directory, what) {
  const lock = statSync(join(directory, 'package-lock.json'))
  // npm writes this file last, so it also tells an installation that was cut short.
  const installed = statSync(join(directory, 'node_modules/.package-lock.json'), { throwIfNoEntry: false })
  if (installed && installed.mtimeMs >= lock.mtimeMs) return
  say(`installing ${what} (npm ci)`)
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-progress', '--loglevel=error']
  const npm = process.env.npm_execpath
  const environment = { ...process.env, NODE_ENV: '' }
  if (npm && basename(npm).startsWith('npm-cli')) {
    runQuietly(process.execPath, [npm, ...args], { cwd: directory, env: environment })
  } else {
    runQuietly('npm', args, { cwd: directory, env: environment, shell: process.platform === 'win32' })
  }
}

/** Installs the Node versions that the packed package is tested under. */
export function installNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(`the other Node versions come for linux-x64; this is ${process.platform}-${process.arch}`)
  }
  installNpmPackages(join(root, 'tools/nodes'), 'Node 20, 22, 24 and 26 for the package tests')
}

/**
 * Installs the Debian packages that a job uses, where this is Debian and we are root; else says which are missing.
 *
 * Services that come with the packages are not started: they would hold ports that the tests and their user need.
 *
 * @param {'test' | 'bench'} job
 */
export function installDebianPackages(job) {
  const missing = debianPackages.filter((each) => each.jobs.includes(job) && !isPresent(each))
  if (missing.length === 0) return
  const names = missing.map((each) => each.name)
  const command = `apt-get update && apt-get install --no-install-recommends ${names.join(' ')}`
  if (process.getuid?.() !== 0 || !hasProgram('apt-get')) {
    const lines = missing.map((each) => `  ${each.name}: ${each.why}`)
    throw new SetupError(
      `these programs are missing; npm run ${job} needs all of them:\n${lines.join('\n')}\nas root: ${command}`,
    )
  }
  say(`installing Debian packages: ${names.join(' ')}`)
  withoutStartingServices(() => {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const wait = ['-o', 'DPkg::Lock::Timeout=300']
    runQuietly('apt-get', [...wait, 'update', '-qq'], { env: environment })
    runQuietly('apt-get', [...wait, 'install', '-y', '-qq', '--no-install-recommends', ...names], { env: environment })
  })
  const absent = missing.filter((each) => !isPresent(each))
  if (absent.length > 0) {
    throw new SetupError(`installed, yet not found: ${absent.flatMap((each) => each.provides).join(' ')}`)
  }
}

/** The environment for jobs that start servers: Debian keeps them where only root's PATH looks. */
export function environmentWithServers() {
  return { ...process.env, PATH: searchPath().join(delimiter) }
}

/** Builds dist/, when it is older than what it is made of. */
export function build() {
  const ended = spawnSync(process.execPath, [join(root, 'tools/build.mjs')], { cwd: root, stdio: 'inherit' })
  if (ended.status !== 0) throw new SetupError('the build failed, see above')
}

function isPresent({ provides }) {
  return provides.every((each) => (each.startsWith('/') ? existsSync(each) : hasProgram(each)))
}

function hasProgram(name) {
  return searchPath().some((directory) => existsSync(join(directory, name)))
}

function searchPath() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((each) => each !== '')
  return [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])]
}

/** Debian's own switch: with this policy in place, packages install without starting what they bring. */
function withoutStartingServices(install) {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install()
  } finally {
    if (isOurs) rmSync(policy)
  }
}
