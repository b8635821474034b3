/**
 * Holds src/ to the rules that ARCHITECTURE.md states: its floors, its doors to the outside, its packages.
 *
 * The page is the source: this reads the rules from it, so the two cannot disagree. Returns every violation as a
 * sentence; test/architecture.test.ts expects none, and tries each rule on a tree that breaks it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { type ModuleFacts, readModule } from './read-module.ts'

/** One folder or file on the list of floors. */
export interface Unit {
  /** Relative to src/: `keep/fetch`, `errors.ts`. */
  readonly path: string
  readonly floor: number
  /** Which line of the list it stands on: units of one floor but of different lines are blind to each other. */
  readonly line: number
  /** How many arrows stand before it on its line. */
  readonly step: number
  /** In parentheses: a place kept for what is not written yet. */
  readonly isPlanned: boolean
}

const bannedNames = new Set(
  'lib libs util utils common core helper helpers manager managers shared misc data info'.split(' '),
)
const bannedVerbs = /^(get|handle|process|manage|do)[A-Z]/
const bannedNouns = /(Info|Util|Utils|Helper|Helpers|Manager)$/
/** Words that say nothing elsewhere, and here are what the protocol calls a thing: NATS's INFO. */
const protocolWords = new Map([['serve/terminator/nats/', /info/i]])
const longestWithoutReason = 500
const words = ['no floors', 'one floor', 'two floors', 'three floors', 'four floors', 'five floors']

/** Reads the list of floors out of the page. */
export function readFloors(page: string): Unit[] {
  const block = /```floors\n([\s\S]*?)```/.exec(page)?.[1]
  if (block === undefined) throw new Error('ARCHITECTURE.md has no ```floors block')
  return block
    .split('\n')
    .filter((text) => text.trim() !== '')
    .flatMap((text, line) => {
      const parts = /^\s*(\d+)\s+(\S+)(?:\s+(.*))?$/.exec(text)
      if (!parts) throw new Error(`cannot read this line of the floors: ${text}`)
      const [, floor, place = '', rest = ''] = parts
      if (rest.trim() === '') return [{ path: place, floor: Number(floor), line, step: 0, isPlanned: false }]
      return rest.split('→').flatMap((group, step) =>
        group.split('|').map((each) => {
          const written = each.trim()
          const bare = written.replace(/^\((.*)\)$/, '$1')
          return { path: `${place}/${bare}`, floor: Number(floor), line, step, isPlanned: bare !== written }
        }),
      )
    })
}

/** Reads a table of the page: the code spans of its rows' first two cells, for rows under the heading. */
function readTable(page: string, heading: string): { readonly first: string; readonly second: string }[] {
  const section = page.split(/^#+ /m).find((each) => each.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`ARCHITECTURE.md has no heading "${heading}"`)
  return [...section.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, first = '', second = '']) => ({
    first,
    second: second.replaceAll('`', '').trim(),
  }))
}

/** Every rule that the tree under `root` breaks, as sentences. */
export function inspectArchitecture(root: string): string[] {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const units = readFloors(page)
  const doors = readTable(page, 'Doors to the outside')
  const packages = readTable(page, 'Packages')
  const files = sourceFiles(join(root, 'src'))
  const facts = new Map(files.map((file) => [file, readModule(file, readFileSync(join(root, 'src', file), 'utf8'))]))
  return [
    ...inspectPlaces(root, units, files),
    ...[...facts].flatMap(([file, each]) => [
      ...inspectFloors(file, each, units),
      ...inspectDoors(file, each, doors),
      ...inspectPackages(file, each, packages),
      ...inspectForm(file, each),
    ]),
    ...inspectManifest(root, packages, facts),
    ...inspectUnusedDoors(doors, facts),
    ...inspectCycles(facts),
    ...inspectSizes(facts),
  ]
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.ts') && !each.endsWith('.d.ts'))
    .sort()
}

/** The unit that a file belongs to: the longest path on the list that holds it. */
function unitOf(file: string, units: readonly Unit[]): Unit | undefined {
  return units.find((unit) => file === unit.path || file.startsWith(`${unit.path}/`))
}

function inspectPlaces(root: string, units: readonly Unit[], files: readonly string[]): string[] {
  const unlisted = files.filter((file) => unitOf(file, units) === undefined)
  const missing = units.filter((unit) => !unit.isPlanned && !existsSync(join(root, 'src', unit.path)))
  const come = units.filter((unit) => unit.isPlanned && existsSync(join(root, 'src', unit.path)))
  return [
    ...unlisted.map((file) => `${file} is on no floor of ARCHITECTURE.md`),
    ...missing.map((unit) => `${unit.path} is on floor ${unit.floor} of ARCHITECTURE.md but not in src/`),
    ...come.map((unit) => `${unit.path} is there: take its parentheses away in ARCHITECTURE.md`),
  ]
}

function inspectFloors(file: string, { imports }: ModuleFacts, units: readonly Unit[]): string[] {
  const from = unitOf(file, units)
  if (from === undefined) return []
  const targets = new Set(imports.filter(isRelative).map((each) => unitOf(resolve(file, each), units)))
  return [...targets].flatMap((to) => {
    if (to === undefined || to === from) return []
    const reason = whyForbidden(from, to)
    return reason === undefined ? [] : [`${name(from)} imports ${name(to)}: ${reason} (${file})`]
  })
}

function whyForbidden(from: Unit, to: Unit): string | undefined {
  if (to.floor > from.floor) return `up ${words[to.floor - from.floor]}`
  if (to.floor < from.floor) return undefined
  if (to.line !== from.line || to.step === from.step) return `side by side on floor ${to.floor}, blind to each other`
  return to.step > from.step ? `listed after it on floor ${to.floor}` : undefined
}

function name(unit: Unit): string {
  return unit.path.replace(/\.ts$/, '')
}

/** Time, chance, the process and node:crypto inside pki: each only through the files that the page names. */
function inspectDoors(file: string, facts: ModuleFacts, doors: readonly { first: string; second: string }[]): string[] {
  const open = new Set(doors.filter((door) => door.first === file).flatMap((door) => door.second.split(', ')))
  const builtins = facts.imports.filter(isBuiltin).map((each) => each.replace(/^(node:)?/, 'node:'))
  const isPure = file.startsWith('pki/') || file === 'errors.ts'
  const needed = [
    ...facts.reaches,
    ...builtins.filter((each) => isPure || /^node:(timers|perf_hooks)/.test(each)),
    ...(facts.hasTopLevelAwait ? ['top-level await'] : []),
  ]
  return needed.filter((each) => !open.has(each)).map((each) => `${file} reaches for ${each}: no door for it there`)
}

function inspectUnusedDoors(
  doors: readonly { first: string; second: string }[],
  facts: ReadonlyMap<string, ModuleFacts>,
): string[] {
  return doors.flatMap(({ first, second }) => {
    const used = facts.get(first)
    if (used === undefined) return [`ARCHITECTURE.md names a door in ${first}, which is not there`]
    const reached = [...used.reaches, ...used.imports, ...(used.hasTopLevelAwait ? ['top-level await'] : [])]
    return second
      .split(', ')
      .filter((each) => !reached.includes(each))
      .map((each) => `ARCHITECTURE.md lets ${first} reach for ${each}, which it does not: close the door`)
  })
}

function inspectPackages(
  file: string,
  { imports }: ModuleFacts,
  packages: readonly { first: string; second: string }[],
): string[] {
  return imports.filter(isBare).flatMap((each) => {
    const owner = packages.find(({ first }) => each === first || each.startsWith(`${first}/`))
    if (owner === undefined) return [`${file} imports ${each}: ARCHITECTURE.md gives no reason for that package`]
    const isInside = owner.second.split(', ').some((place) => file === place || file.startsWith(`${place}/`))
    return isInside ? [] : [`${file} imports ${each}: only ${owner.second} may`]
  })
}

/** package.json and the page list the same packages, and every runtime one is really imported. */
function inspectManifest(
  root: string,
  packages: readonly { first: string; second: string }[],
  facts: ReadonlyMap<string, ModuleFacts>,
): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  const listed = packages.map(({ first }) => first)
  const imported = new Set([...facts.values()].flatMap((each) => each.imports))
  return [
    ...declared.filter((each) => !listed.includes(each)).map((each) => `${each}: no reason for it in ARCHITECTURE.md`),
    ...listed.filter((each) => !declared.includes(each)).map((each) => `${each} is not in package.json`),
    ...Object.keys(manifest.dependencies ?? {})
      .filter((each) => ![...imported].some((path) => path === each || path.startsWith(`${each}/`)))
      .map((each) => `${each} is a dependency that nothing in src/ imports`),
  ]
}

function inspectForm(file: string, facts: ModuleFacts): string[] {
  const parts = file.replace(/\.ts$/, '').split('/')
  const term = [...protocolWords].find(([folder]) => file.startsWith(folder))?.[1] ?? /(?!)/
  const problems = parts
    .filter((part) => bannedNames.has(part) && !term.test(part))
    .map((part) => `${file}: "${part}" says nothing`)
  if (!parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))) problems.push(`${file}: names are kebab-case`)
  if (!facts.opensWithComment) problems.push(`${file} does not open with a comment that says what lives there`)
  for (const each of facts.exports) {
    const isBannedVerb = facts.functions.includes(each) && bannedVerbs.test(each)
    if (isBannedVerb || (bannedNouns.test(each) && !term.test(each)))
      problems.push(`${file}: "${each}" uses a banned word`)
  }
  for (const each of facts.moduleVariables) problems.push(`${file}: "${each}" is state that every importer shares`)
  if (facts.lines > longestWithoutReason && !/\bbecause\b/.test(facts.firstComment)) {
    problems.push(`${file} has ${facts.lines} lines and its first comment does not say "because"`)
  }
  return problems
}

function inspectSizes(facts: ReadonlyMap<string, ModuleFacts>): string[] {
  const sizes = [...facts.values()].map((each) => each.lines).sort((a, b) => a - b)
  const largest = sizes[Math.floor(sizes.length * 0.95)] ?? 0
  return sizes.length >= 20 && largest > 400 ? [`one file in twenty has over ${largest} lines; the aim is 400`] : []
}

function inspectCycles(facts: ReadonlyMap<string, ModuleFacts>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file)
    if (start >= 0) found.push(`import cycle: ${[...path.slice(start), file].join(' → ')}`)
    if (start >= 0 || done.has(file)) return
    const next = (facts.get(file)?.imports ?? []).filter(isRelative).map((each) => resolve(file, each))
    for (const each of next) visit(each, [...path, file])
    done.add(file)
  }
  for (const file of facts.keys()) visit(file, [])
  return found
}

function resolve(file: string, specifier: string): string {
  return posix.normalize(posix.join(dirname(file), specifier))
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

function isBare(specifier: string): boolean {
  return !isRelative(specifier) && !isBuiltin(specifier)
}
