/**
 * Which keys stand in a configuration: those nobody knows, those that have no effect, those given twice.
 *
 * What the values of working keys mean is not looked at here, but in type.ts.
 */
import type { ConfigProblem } from '../../errors.ts'
import { createProblem } from './problem.ts'
import type { Notice } from './settings.ts'
import { findNearest } from './suggestion.ts'
import { type Block, type BlockDeclaration, findKey, type IdleKey, type Key, type Type } from './type.ts'
import { describeValue, type Entry, type MapValue, type Place, type Value } from './value.ts'

/** What there is to say about the keys of a configuration. */
export interface Survey {
  readonly problems: readonly ConfigProblem[]
  readonly notices: readonly Notice[]
}

/** Walks every map whose keys are known. */
export function surveyKeys(type: Type<Block>, root: MapValue): Survey {
  if (type.parts?.kind !== 'block') throw new TypeError('type must be that of a block')
  const walk = new Walk(type.parts.block, root)
  walk.block(type.parts.block, root, '')
  walk.unusedIgnores()
  return walk
}

class Walk implements Survey {
  readonly problems: ConfigProblem[] = []
  readonly notices: Notice[] = []
  readonly #top: BlockDeclaration
  readonly #ignored: readonly Ignored[]

  constructor(top: BlockDeclaration, root: MapValue) {
    this.#top = top
    this.#ignored = readIgnored(root)
  }

  block(declaration: BlockDeclaration, map: MapValue, path: string): void {
    const seen = new Map<string, Entry>()
    let isPassedOver = false
    for (const entry of map.entries.values()) {
      const key = findKey(declaration.keys, entry.key)
      const idle = key === undefined ? findKey(declaration.idle, entry.key) : undefined
      const name = join(path, (key ?? idle)?.name ?? entry.key)
      if (key === undefined && idle === undefined) {
        if (entry.isVariable) continue
        if (declaration.ignoresUnknown) isPassedOver = true
        else this.#refuseUnknown(declaration, entry, path)
        continue
      }
      const earlier = entry.overrides ?? seen.get((key ?? idle)?.name ?? '')?.place
      if (earlier !== undefined) {
        this.#notice(entry.place, name, `is given twice: the one in line ${earlier.line} does not count`)
      }
      seen.set((key ?? idle)?.name ?? '', entry)
      if (key !== undefined) this.value(key.type, entry.value, name)
      else if (idle !== undefined) this.#idle(idle, entry, name)
    }
    if (isPassedOver) {
      this.#notice(map, path, `only ${declaration.keys.map((key) => key.name).join(', ')} has an effect here`)
    }
  }

  value(type: Type<unknown>, value: Value, path: string): void {
    const { parts } = type
    if (parts?.kind === 'block' && value.kind === 'map') this.block(parts.block, value, path)
    if (parts?.kind === 'list' && value.kind === 'list') {
      for (const [index, item] of value.items.entries()) this.value(parts.item, item, `${path}[${index}]`)
    }
    if (parts?.kind === 'list' && value.kind === 'map') this.value(parts.item, value, path)
    if (parts?.kind === 'dictionary' && value.kind === 'map') {
      for (const [key, entry] of value.entries) this.value(parts.item, entry.value, join(path, key))
    }
  }

  unusedIgnores(): void {
    for (const { word, at, isUsed } of this.#ignored) {
      if (isUsed) continue
      const isRefusedKey = refusedNames(this.#top).includes(word)
      if (isRefusedKey) continue
      this.problems.push(
        createProblem(at, 'danger.ignore', {
          summary: `${word} is not a key that is refused`,
          found: describeValue(at),
          expected: `one of ${refusedNames(this.#top).join(', ')}`,
          hint: 'leave it out',
        }),
      )
    }
  }

  #idle(idle: IdleKey, entry: Entry, path: string): void {
    if (entry.value.kind === 'missing' || idle.isInert?.(entry.value)) return
    if (idle.status === 'notice') return this.#notice(entry.place, path, `has no effect here: ${idle.reason}`)
    if (idle.status === 'refused') {
      const ignored = this.#ignored.find(({ word }) => isNameOf(idle, path, word))
      if (ignored !== undefined) {
        ignored.isUsed = true
        return this.#notice(entry.place, path, `is ignored, as \`danger { ignore }\` says: ${idle.reason}`)
      }
    }
    this.problems.push(
      createProblem(entry.place, path, {
        summary: idle.status === 'later' ? idle.reason : `cannot be honoured: ${idle.reason}`,
        found: describeValue(entry.value),
        expected: 'a configuration without it',
        hint: idle.hint ?? 'leave it out',
      }),
    )
  }

  #refuseUnknown(declaration: BlockDeclaration, entry: Entry, path: string): void {
    this.problems.push(
      createProblem(entry.place, join(path, entry.key), {
        summary: 'unknown key',
        found: `${JSON.stringify(entry.key)}${path === '' ? '' : ` in ${path}`}`,
        expected: describeKeys(declaration.keys),
        hint: this.#suggest(declaration, entry.key),
      }),
    )
  }

  #suggest(declaration: BlockDeclaration, written: string): string {
    if (/[{[]/.test(written)) return `put a space between a key and the '{' or '[' after it`
    const lower = written.toLowerCase()
    const elsewhere = findHomes(this.#top, lower)[0]
    if (elsewhere !== undefined) return elsewhere
    const near = findNearest(lower, [...namesOf(declaration.keys), ...namesOf(declaration.idle)])
    if (near !== undefined) return `did you mean ${near}?`
    return 'docs/reference/config.md lists all keys; a name of your own must be used somewhere as $name'
  }

  #notice({ file, line, column }: Place, path: string, words: string): void {
    this.notices.push({ file, line, column, path, message: `${path}: ${words}` })
  }
}

interface Ignored {
  readonly word: string
  readonly at: Value
  isUsed: boolean
}

/** Leniently: what is wrong with it is said by its type. */
function readIgnored(root: MapValue): Ignored[] {
  const danger = findEntry(root, 'danger')
  const ignore = danger?.kind === 'map' ? findEntry(danger, 'ignore') : undefined
  const items = ignore?.kind === 'list' ? ignore.items : ignore === undefined ? [] : [ignore]
  return items.flatMap((at) => (at.kind === 'string' ? [{ word: at.value.toLowerCase(), at, isUsed: false }] : []))
}

function findEntry(map: MapValue, name: string): Value | undefined {
  return [...map.entries.values()].findLast((entry) => entry.key.toLowerCase() === name)?.value
}

/** Both `verify_and_map` and `tls.verify_and_map` name it. */
function isNameOf(idle: IdleKey, path: string, word: string): boolean {
  const names = [idle.name, ...(idle.aliases ?? [])]
  const home = path.slice(0, -idle.name.length)
  return names.includes(word) || names.some((name) => `${home}${name}` === word)
}

function refusedNames(top: BlockDeclaration): string[] {
  const inside = top.keys.flatMap(({ type, name }) =>
    type.parts?.kind === 'block'
      ? namesOf(type.parts.block.idle.filter(isRefused)).flatMap((each) => [each, `${name}.${each}`])
      : [],
  )
  return [...namesOf(top.idle.filter(isRefused)), ...inside]
}

function isRefused(idle: IdleKey): boolean {
  return idle.status === 'refused'
}

/** Where a key of exactly this name would stand. */
function findHomes(top: BlockDeclaration, name: string): string[] {
  const atTop = findKey(top.keys, name) ?? findKey(top.idle, name)
  if (atTop !== undefined) return [`${atTop.name} stands at the top level`]
  return top.keys.flatMap((key) => {
    const block = blockIn(key.type)
    const found = block && (findKey(block.keys, name) ?? findKey(block.idle, name))
    return found ? [`${found.name} stands in \`${key.name} { … }\``] : []
  })
}

function blockIn(type: Type<unknown>): BlockDeclaration | undefined {
  return type.parts?.kind === 'block' ? type.parts.block : type.parts && blockIn(type.parts.item)
}

function namesOf(keys: readonly { readonly name: string; readonly aliases?: readonly string[] }[]): string[] {
  return keys.flatMap((key) => [key.name, ...(key.aliases ?? [])])
}

function describeKeys(keys: readonly Key<unknown>[]): string {
  const names = keys.map((key) => key.name)
  return names.length > 12 ? 'a key of docs/reference/config.md' : `one of ${names.join(', ')}`
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
