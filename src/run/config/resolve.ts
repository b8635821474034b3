/**
 * A configuration file with its includes read and its variables looked up: one tree, every value with its place.
 *
 * As in nats-server: `$name` is looked up among the keys defined so far, from the innermost map outwards, then in the
 * environment, whose text is read as a value. An included file sees the environment, but not its includer's keys.
 */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { type ConfigProblem, StapleError } from '../../errors.ts'
import type { RawDocument, RawEntry, RawValue } from './grammar.js'
import { decodeText, isProblem, maxDepth, maxFileBytes, parseText } from './parse.ts'
import { type Complaint, createProblem } from './problem.ts'
import type { Notice } from './settings.ts'
import type { Entry, MapValue, Place, Value } from './value.ts'

/** Files that one configuration may consist of. */
const maxFiles = 100
/** Values that one configuration may have, those that variables repeat counted each time. */
const maxValues = 100_000

/** Everything that one configuration is made of. */
export interface Document {
  readonly root: MapValue
  /** Absolute: the file itself, then the included ones. */
  readonly files: readonly string[]
  /** What each of them held. */
  readonly texts: ReadonlyMap<string, Uint8Array>
  readonly problems: readonly ConfigProblem[]
  readonly notices: readonly Notice[]
  /** False when a file could not be read or parsed: keys may be missing that stand there. */
  readonly isWhole: boolean
}

/**
 * Reads a configuration file and all that it includes.
 *
 * @param file - absolute
 * @param texts - files that are not read again but taken to hold this
 * @throws {@link StapleError} `ERR_CONFIG_READ` when the file itself cannot be read; all else is in `problems`
 */
export async function readDocument(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  texts?: ReadonlyMap<string, Uint8Array>,
): Promise<Document> {
  const reading = new Reading(environment, texts)
  let bytes: Uint8Array
  try {
    bytes = await reading.readBytes(file)
  } catch (cause) {
    const reason = describeReadFailure(cause)
    throw new StapleError(
      'ERR_CONFIG_READ',
      `the configuration ${file} cannot be read: ${reason}`,
      { path: file, reason },
      { cause },
    )
  }
  const root = await reading.readFile(file, bytes, [file])
  const { files, texts: held, problems, notices, isWhole } = reading
  return { root, files, texts: held, problems, notices, isWhole }
}

/** Reads one value as it would stand after a key; for defaults and options of the command line. */
export function readValue(text: string, place: Place): Value {
  const parsed = parseText(`value: ${text}\n`, place.file)
  if (isProblem(parsed)) throw new TypeError(`${text}: ${parsed.summary}`)
  const [entry] = parsed.entries
  if (entry?.kind !== 'entry') throw new TypeError(`${text} is not one value`)
  return new Reading({}).resolveConstant(entry.value, place)
}

/** What the system said, in words. */
export function describeReadFailure(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  const words: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of its path is not a directory',
    ELOOP: 'its symbolic links go in a circle',
    ENAMETOOLONG: 'its name is too long',
  }
  return words[code ?? ''] ?? message
}

/** Maps under construction, innermost last. */
type Scopes = readonly Map<string, MutableEntry>[]
type MutableEntry = { -readonly [K in keyof Entry]: Entry[K] }

/** Where a text stands: the files it is included through, or the environment variables it came from. */
interface Origin {
  readonly file: string
  readonly path: readonly string[]
  /** The reference that brought it here, for what comes from the environment. */
  readonly at?: Place
}

class Reading {
  readonly files: string[] = []
  readonly texts = new Map<string, Uint8Array>()
  readonly problems: ConfigProblem[] = []
  readonly notices: Notice[] = []
  isWhole = true
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #extents = new WeakMap<Value, { values: number; depth: number }>()
  #values = 0
  #isTooLarge = false

  readonly #given: ReadonlyMap<string, Uint8Array> | undefined

  constructor(environment: Readonly<Record<string, string | undefined>>, given?: ReadonlyMap<string, Uint8Array>) {
    this.#environment = environment
    this.#given = given
  }

  async readBytes(file: string): Promise<Uint8Array> {
    const bytes = this.#given?.get(file) ?? (await readFile(file))
    if (bytes.length > maxFileBytes) throw new Error(`it has ${bytes.length} bytes, more than ${maxFileBytes}`)
    this.texts.set(file, bytes)
    return bytes
  }

  async readFile(file: string, bytes: Uint8Array, path: readonly string[]): Promise<MapValue> {
    this.files.push(file)
    const text = decodeText(bytes, file)
    const parsed = isProblem(text) ? text : parseText(text, file)
    const entries = new Map<string, MutableEntry>()
    if (isProblem(parsed)) {
      this.problems.push(parsed)
      this.isWhole = false
    } else {
      await this.#fill(parsed, entries, { file, path })
    }
    return { kind: 'map', source: '', file, line: 1, column: 1, entries }
  }

  resolveConstant(raw: RawValue, place: Place): Value {
    return this.#resolve(raw, [], { file: place.file, path: [], at: place }) as Value
  }

  async #fill(document: RawDocument, entries: Map<string, MutableEntry>, origin: Origin): Promise<void> {
    for (const { message, line, column } of document.notes) {
      this.notices.push({ file: origin.file, line, column, path: '', message })
    }
    await this.#fillMap(document.entries, entries, [entries], origin)
  }

  async #fillMap(
    raws: readonly RawEntry[],
    entries: Map<string, MutableEntry>,
    scopes: Scopes,
    origin: Origin,
  ): Promise<void> {
    for (const raw of raws) {
      if (raw.kind === 'include') {
        await this.#include(raw, entries, origin)
        continue
      }
      const value = hasInclude(raw.value)
        ? await this.#resolveWithIncludes(raw.value, scopes, origin)
        : this.#resolve(raw.value, scopes, origin)
      const place = placeOf(raw.key, origin)
      this.#put(entries, { key: raw.key.name, place, value, isVariable: false })
    }
  }

  #put(entries: Map<string, MutableEntry>, entry: MutableEntry): void {
    const earlier = entries.get(entry.key)
    entries.set(entry.key, earlier === undefined || earlier.isVariable ? entry : { ...entry, overrides: earlier.place })
  }

  async #include(
    raw: RawEntry & { kind: 'include' },
    entries: Map<string, MutableEntry>,
    origin: Origin,
  ): Promise<void> {
    const place = placeOf(raw, origin)
    const file = isAbsolute(raw.path) ? raw.path : join(dirname(origin.file), raw.path)
    const refuse = (complaint: Complaint) => {
      this.problems.push(createProblem(place, 'include', complaint))
      this.isWhole = false
    }
    if (origin.path.includes(file)) {
      return refuse({
        summary: 'the files include each other in a circle',
        found: [...origin.path, file].join(' includes '),
        expected: 'a file that does not lead back here',
        hint: 'remove one of the includes',
      })
    }
    if (this.files.length >= maxFiles) {
      return refuse({
        summary: `more than ${maxFiles} files are included`,
        found: file,
        expected: `at most ${maxFiles} files`,
        hint: 'is a file included that includes others again and again?',
      })
    }
    let bytes: Uint8Array
    try {
      bytes = await this.readBytes(file)
    } catch (cause) {
      return refuse({
        summary: `cannot include ${raw.path}: ${describeReadFailure(cause)}`,
        found: file,
        expected: 'a file that can be read',
        hint: `a relative path is looked up beside the including file, in ${dirname(origin.file)}`,
      })
    }
    const included = await this.readFile(file, bytes, [...origin.path, file])
    for (const entry of included.entries.values()) this.#put(entries, entry)
  }

  #refuseInclude(place: Place): void {
    this.problems.push(
      createProblem(place, 'include', {
        summary: 'an environment variable cannot include a file',
        found: 'include',
        expected: 'keys and values',
        hint: 'write the include into the file',
      }),
    )
  }

  async #resolveWithIncludes(raw: RawValue, scopes: Scopes, origin: Origin): Promise<Value> {
    if (raw.kind === 'map') {
      const entries = new Map<string, MutableEntry>()
      await this.#fillMap(raw.entries, entries, [...scopes, entries], origin)
      return this.#measure({ kind: 'map', source: raw.source, ...placeOf(raw, origin), entries })
    }
    if (raw.kind !== 'list') return this.#resolve(raw, scopes, origin)
    const items: Value[] = []
    for (const item of raw.items) items.push(await this.#resolveWithIncludes(item, scopes, origin))
    return this.#measure({ kind: 'list', source: raw.source, ...placeOf(raw, origin), items })
  }

  #resolve(raw: RawValue, scopes: Scopes, origin: Origin): Value {
    const place = placeOf(raw, origin)
    if (raw.kind === 'variable') return this.#lookUp(raw.name, raw.source, place, scopes, origin)
    if (raw.kind === 'list') {
      const items = raw.items.map((item) => this.#resolve(item, scopes, origin))
      return this.#measure({ kind: 'list', source: raw.source, ...place, items })
    }
    if (raw.kind === 'map') {
      const entries = new Map<string, MutableEntry>()
      for (const each of raw.entries) {
        if (each.kind === 'include') {
          this.#refuseInclude(place)
          continue
        }
        const value = this.#resolve(each.value, [...scopes, entries], origin)
        this.#put(entries, { key: each.key.name, place: placeOf(each.key, origin), value, isVariable: false })
      }
      return this.#measure({ kind: 'map', source: raw.source, ...place, entries })
    }
    return this.#measure({ ...raw, ...place })
  }

  #lookUp(name: string, source: string, place: Place, scopes: Scopes, origin: Origin): Value {
    for (const scope of scopes.toReversed()) {
      const entry = scope.get(name)
      if (entry === undefined) continue
      entry.isVariable = true
      return this.#repeat(entry.value, name, place)
    }
    const text = this.#environment[name]
    if (text !== undefined) return this.#readVariable(name, source, text, place, origin)
    this.problems.push(
      createProblem(place, source, {
        summary: `the variable ${source} is not defined`,
        found: 'no such key above this place, no such environment variable',
        expected: `\`${name}: …\` above this line, or ${name} in the environment`,
        hint: 'an included file does not see the keys of the file that includes it',
      }),
    )
    return { kind: 'missing', source, ...place }
  }

  #readVariable(name: string, source: string, text: string, place: Place, origin: Origin): Value {
    const refuse = (summary: string, expected: string): Value => {
      this.problems.push(
        createProblem(place, source, {
          summary,
          found: `the environment variable ${name}`,
          expected,
          hint: `its text is read as a value of this file: put quotes around it, as in ${name}='"…"'`,
        }),
      )
      return { kind: 'missing', source, ...place }
    }
    if (origin.path.includes(`$${name}`)) {
      return refuse(`the variable ${source} refers to itself`, 'a value that does not lead back here')
    }
    const parsed = parseText(`value=${text}`, place.file)
    if (isProblem(parsed)) return refuse(`the variable ${source} is not a value: ${parsed.summary}`, 'one value')
    const entry = parsed.entries.find((each) => each.kind === 'entry' && each.key.name === 'value')
    if (entry?.kind !== 'entry') return refuse(`the variable ${source} is not a value`, 'one value')
    const inner: Origin = { file: place.file, path: [...origin.path, `$${name}`], at: place }
    return this.#repeat(this.#resolve(entry.value, [], inner), name, place)
  }

  /** The value as if it stood at the reference; what is inside it keeps its own places. */
  #repeat(value: Value, name: string, place: Place): Value {
    if (value.kind === 'missing') return { ...value, ...place }
    return this.#measure({ ...value, variable: name, file: place.file, line: place.line, column: place.column })
  }

  /** Counts a value with all that is inside it, so that variables cannot multiply without bound. */
  #measure(value: Value): Value {
    const inside =
      value.kind === 'list'
        ? value.items
        : value.kind === 'map'
          ? [...value.entries.values()].map((entry) => entry.value)
          : []
    const extents = inside.map((each) => this.#extents.get(each) ?? { values: 1, depth: 1 })
    const values = extents.reduce((sum, each) => sum + each.values, 1)
    const depth = extents.reduce((deepest, each) => Math.max(deepest, each.depth), 0) + 1
    this.#extents.set(value, { values, depth })
    this.#values += value.variable === undefined ? 1 : values
    if (this.#values <= maxValues && depth <= maxDepth) return value
    if (!this.#isTooLarge) {
      this.problems.push(
        createProblem(value, '', {
          summary: 'the configuration is too large, or nested too deeply',
          found: `${this.#values} values, ${depth} levels`,
          expected: `at most ${maxValues} values and ${maxDepth} levels, with variables written out`,
          hint: 'do variables repeat lists that repeat lists?',
        }),
      )
    }
    this.#isTooLarge = true
    this.isWhole = false
    return { kind: 'missing', source: '', file: value.file, line: value.line, column: value.column }
  }
}

function placeOf(raw: { line: number; column: number }, origin: Origin): Place {
  const { file, line, column } = origin.at ?? { file: origin.file, line: raw.line, column: raw.column }
  return { file, line, column }
}

function hasInclude(raw: RawValue): boolean {
  if (raw.kind === 'list') return raw.items.some(hasInclude)
  return raw.kind === 'map' && raw.entries.some((entry) => entry.kind === 'include' || hasInclude(entry.value))
}
