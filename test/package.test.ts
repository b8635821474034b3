/**
 * The package as a stranger gets it: packed, installed into an empty project, imported, run and compiled there, under
 * every Node version that `engines` admits.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { readExamples } from '../tools/docstrings.ts'
import { nodeVersions } from '../tools/nodes.mjs'
import { createAuthority, type Leaf } from './kit/authority.ts'
import { startOpensslResponder } from './kit/openssl-responder.ts'
import { temporaryDirectory } from './kit/temporary.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const doors = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => `staplewright${path.slice(1)}`)
const nodes = nodeVersions()
const project = temporaryDirectory('consumer')
let tarball: string
let packedFiles: string[]
let leaf: Leaf

beforeAll(async () => {
  await run(process.execPath, ['tools/build.mjs'], root)
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], root)
  const [{ filename, files }] = JSON.parse(packed)
  tarball = join(project, filename)
  packedFiles = files.map((each: { path: string }) => each.path)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const types = `@types/node@${manifest.devDependencies['@types/node']}`
  const authority = await createAuthority()
  leaf = await authority.issueLeaf({ responderURL: await startOpensslResponder(authority) })
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--loglevel=error', tarball, types], project)
}, 120_000)

it('holds the build, the documents and the licence, and nothing else', () => {
  const others = packedFiles.filter((path) => !/^dist\/.*\.(js|d\.ts)$/.test(path)).sort()
  expect(others.filter((path) => !/^docs\/.*\.(md|conf)$|^examples\/[^/]*\.(ts|md)$/.test(path))).toEqual([
    'CHANGELOG.md',
    'GLOSSARY.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'package.json',
  ])
  expect(packedFiles.filter((path) => path.endsWith('.d.ts')).length).toBeGreaterThan(0)
})

it('holds every page that README.md, --help and messages name, but those about changing the code', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const linked = [...readme.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path)
  const built = packedFiles.filter((path) => path.endsWith('.js')).map((path) => readFileSync(join(root, path), 'utf8'))
  const named = built.flatMap((text) => text.match(/docs\/[a-z/-]+\.md/g) ?? [])
  expect(named).toContain('docs/reference/config.md')
  const missing = [...new Set([...linked, ...named])].filter((path) => !packedFiles.includes(path))
  expect(missing.sort()).toEqual(['ARCHITECTURE.md', 'CONTRIBUTING.md'])
})

it('refers to no source map', () => {
  const built = packedFiles.filter((path) => path.endsWith('.js') || path.endsWith('.d.ts'))
  expect(built.filter((path) => readFileSync(join(root, path), 'utf8').includes('sourceMappingURL'))).toEqual([])
})

it('has no install script', () => {
  expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
})

it('the lock file names the packages of every platform, so that npm ci accepts it everywhere', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const wanted = Object.values(packages).flatMap((each) =>
    Object.keys((each as { optionalDependencies?: object }).optionalDependencies ?? {}),
  )
  expect(wanted).not.toEqual([])
  expect(wanted.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([])
})

it('the lock files name no place to fetch from', () => {
  for (const path of ['package-lock.json', 'tools/nodes/package-lock.json']) {
    expect(readFileSync(join(root, path), 'utf8')).not.toMatch(/"resolved"/)
  }
})

it('publint finds nothing to say', async () => {
  await run(process.execPath, [bin('publint'), 'run', tarball, '--strict'], root)
})

it('attw finds nothing to say', async () => {
  await run(
    process.execPath,
    [bin('@arethetypeswrong/cli', 'attw'), tarball, '--profile', 'esm-only', '--no-definitely-typed'],
    root,
  )
})

describe.each(nodes)('under Node $major', ({ program, major }) => {
  it('is the version it is named for', async () => {
    expect(await run(program, ['--version'], project)).toMatch(new RegExp(`^v${major}\\.`))
  })

  it.each(doors)('import %s', async (door) => {
    const script = `const door = await import('${door}'); console.log(Object.keys(door).length)`
    expect(Number(await run(program, ['--input-type=module', '-e', script], project))).toBeGreaterThan(0)
  })

  it.each(doors)('require %s', async (door) => {
    const script = `console.log(Object.keys(require('${door}')).length)`
    expect(Number(await run(program, ['--input-type=commonjs', '-e', script], project))).toBeGreaterThan(0)
  })

  it('reads the package.json it exports', async () => {
    const script = `console.log(require('staplewright/package.json').version)`
    expect(await run(program, ['--input-type=commonjs', '-e', script], project)).toBe(`${manifest.version}\n`)
  })

  it('a server is stapled by one line, and its staple verified', async () => {
    cpSync(join(root, 'test/package/handshake.mjs'), join(project, 'handshake.mjs'))
    const files = [leaf.certificateFile, leaf.keyFile, leaf.rootFile]
    expect(JSON.parse(await run(program, ['handshake.mjs', ...files], project))).toEqual({
      pending: 0,
      seen: [
        { protocol: 'TLSv1.2', certStatus: 'good' },
        { protocol: 'TLSv1.3', certStatus: 'good' },
      ],
    })
  })

  it('a verifying client takes its staple for it, and resumes its session', async () => {
    cpSync(join(root, 'test/package/peer.mjs'), join(project, 'peer.mjs'))
    const files = [leaf.certificateFile, leaf.keyFile, leaf.rootFile]
    expect(JSON.parse(await run(program, ['peer.mjs', ...files], project))).toEqual([
      'TLSv1.2 staple',
      'TLSv1.2 session',
      'TLSv1.3 staple',
      'TLSv1.3 session',
      'hello',
    ])
  })

  it('the binary says its version', async () => {
    expect(await run(program, [binary(), '--version'], project)).toBe(`${manifest.version}\n`)
  })

  it('the binary says what it can do', async () => {
    expect(await run(program, [binary(), '--help'], project)).toMatch(/serve[\s\S]*demo/)
  })

  it('the binary runs the demo once', async () => {
    expect(await run(program, [binary(), 'demo', '--once'], project)).toMatch(/certStatus good/)
  })
})

it('the binary runs by its name', async () => {
  expect(await run(join(project, 'node_modules/.bin/staplewright'), ['--version'], project)).toBe(
    `${manifest.version}\n`,
  )
})

it.each(doors)('%s loads nothing but this package', async (door) => {
  const node = nodes.find(({ major }) => major === 24)?.program as string
  cpSync(join(root, 'test/package/list-loaded.mjs'), join(project, 'list-loaded.mjs'))
  const loaded: string[] = JSON.parse(await run(node, ['list-loaded.mjs', door], project))
  expect(loaded).not.toEqual([])
  expect(loaded.filter((path) => !path.startsWith('staplewright/'))).toEqual([])
})

it('a bundler for browsers finds the door that decodes without node: modules', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "export { decodeOcspResponse, parsePemCertificates } from 'staplewright/ocsp'",
      resolveDir: project,
    },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
  })
  const bundled = `data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')}`
  expect(Object.keys(await import(bundled)).sort()).toEqual(['decodeOcspResponse', 'parsePemCertificates'])
  expect(outputFiles[0]?.text).not.toMatch(/node:|Date\.now/)
})

describe.each(['node16', 'bundler'])('TypeScript with moduleResolution %s', (moduleResolution) => {
  const consumer = join(project, `types-${moduleResolution}`)

  beforeAll(() => {
    mkdirSync(consumer)
    symlinkSync(join(project, 'node_modules'), join(consumer, 'node_modules'))
    cpSync(join(root, 'test/types'), consumer, { recursive: true })
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  })

  it('compiles the examples of the docstrings', async () => {
    writeFileSync(join(consumer, 'examples.ts'), await formatExamples())
    await compile('examples.ts')
  })

  it.each(readdirSync(join(root, 'test/types')))('compiles %s with every library checked', (file) => compile(file))

  async function compile(file: string): Promise<void> {
    const module = moduleResolution === 'node16' ? 'node16' : 'esnext'
    const environment = file.startsWith('browser') ? ['--lib', 'es2023,dom'] : ['--types', 'node', '--lib', 'es2023']
    const strictness = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--target', 'es2023']
    const how = ['--noEmit', '--module', module, '--moduleResolution', moduleResolution, ...strictness, ...environment]
    await run(process.execPath, [bin('typescript', 'tsc'), ...how, file], consumer)
  }
})

/** Every docstring's example in a function of its own, with the doors' exports and what the examples take as given. */
async function formatExamples(): Promise<string> {
  const imported = new Set<string>()
  const lines: string[] = []
  for (const door of doors) {
    const script = `console.log(JSON.stringify(Object.keys(await import('${door}'))))`
    const names: string[] = JSON.parse(await run(process.execPath, ['--input-type=module', '-e', script], project))
    lines.push(`import { ${names.filter((name) => !imported.has(name)).join(', ')} } from '${door}'`)
    for (const name of names) imported.add(name)
  }
  const examples = readExamples(join(root, 'src')).map(
    ({ file, title, code }, index) => `// ${file}: ${title}\nexport async function example${index}() {\n${code}\n}`,
  )
  expect(examples).not.toEqual([])
  return [...lines, given, ...examples].join('\n')
}

/** What a docstring's example may use without saying where it comes from. */
const given = `
declare const der: Uint8Array
declare const certificate: Uint8Array
declare const issuer: Uint8Array
declare const authorities: readonly Uint8Array[]
declare const leafDer: Uint8Array
declare const issuerDer: Uint8Array
declare const fetcher: Parameters<typeof createKeeper>[0]['fetcher']
declare const server: import('node:tls').Server
`

function binary(): string {
  return join(project, 'node_modules/staplewright', manifest.bin.staplewright)
}

/** The program of a development package. */
function bin(name: string, program = name): string {
  const directory = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  return join(directory, typeof bin === 'string' ? bin : bin[program])
}

/** Runs a program to its end; fails with all it printed. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      timeout: 60_000,
    })
    return stdout
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout: string; stderr: string }
    throw new Error(`${message}\n${stdout}\n${stderr}`)
  }
}
