/**
 * What a value may be: a valibot schema over the tree, with a name for the reference and words for what was expected.
 *
 * A schema reads a value with its place and answers with the meaning and the same place, so that what is found wrong
 * later (a file that is missing) still points into the configuration. All that is wrong is collected, never the first only.
 */
import * as v from 'valibot'
import type { ConfigProblem } from '../../errors.ts'
import { createProblem } from './problem.ts'
import { describeValue, type Place, type Value } from './value.ts'

/** A meaning, and the value it was read from. */
export interface Located<T> {
  readonly value: T
  readonly at: Value
}

export interface Type<T> {
  /** As the reference calls it: `duration`, `list of texts`. */
  readonly name: string
  readonly schema: v.GenericSchema<Value, Located<T>>
  /** What is inside, for who walks the keys. */
  readonly parts?: Parts
}

export type Parts =
  | { readonly kind: 'block'; readonly block: BlockDeclaration }
  | { readonly kind: 'list'; readonly item: Type<unknown> }
  | { readonly kind: 'dictionary'; readonly item: Type<unknown> }

/** A key that works: declared once, for the loader and for the reference. */
export interface Key<T> {
  readonly name: string
  /** Other names that nats-server has for it. */
  readonly aliases?: readonly string[]
  /** Who has it: nats-server too, or Staplewright alone. */
  readonly origin: 'nats-server' | 'own'
  readonly type: Type<T>
  /** As it would be written in a file. */
  readonly default?: string
  /** The default in words, where it is not a constant. */
  readonly defaultNote?: string
  readonly meaning: string
  readonly example: string
}

/** A key that is known but has no effect here; the survey says why. */
export interface IdleKey {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly origin: 'nats-server' | 'own'
  /** `notice`: said once. `refused`: an error. `later`: an error, since this version does not have it yet. */
  readonly status: 'notice' | 'refused' | 'later'
  readonly reason: string
  readonly hint?: string
  /** Values that ask for nothing: no word about them. */
  readonly isInert?: (value: Value) => boolean
}

/** A map with known keys. */
export interface BlockDeclaration {
  readonly keys: readonly Key<unknown>[]
  readonly idle: readonly IdleKey[]
  /** Unknown keys are nats-server's affair: `jetstream` has dozens that mean nothing here. */
  readonly ignoresUnknown?: boolean
}

/** A map that was read: its working keys; one whose value is wrong is there without a meaning. */
export interface Block {
  readonly entries: ReadonlyMap<string, Located<unknown> | undefined>
}

/** What is wrong with a value, and what to do. */
export class Mistake {
  readonly summary: string
  readonly hint: string
  readonly expected: string | undefined

  constructor(summary: string, hint: string, expected?: string) {
    this.summary = summary
    this.hint = hint
    this.expected = expected
  }
}

/** Creates the type of one value. */
export function createType<T>(name: string, expected: string, read: (value: Value) => T | Mistake): Type<T> {
  return {
    name,
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<T>>(({ dataset, addIssue, NEVER }) => {
        const at = dataset.value
        if (at.kind === 'missing') return { value: undefined as T, at }
        const value = read(at)
        if (!(value instanceof Mistake)) return { value, at }
        addIssue(issueOf(value.summary, value.hint, value.expected ?? expected, describeValue(at)))
        return NEVER
      }),
    ),
  }
}

/** Creates the type of a list; one item may stand without its brackets. */
export function listOf<T>(item: Type<T>, plural: string, isEmptyAllowed = false): Type<readonly Located<T>[]> {
  return {
    name: `list of ${plural}`,
    parts: { kind: 'list', item: item as Type<unknown> },
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<readonly Located<T>[]>>(({ dataset, addIssue }) => {
        const at = dataset.value
        if (at.kind !== 'list') {
          const single = v.safeParse(item.schema, at)
          for (const issue of single.issues ?? []) addIssue(nested(issue))
          return keep(dataset, { at, value: isLocated(single.output) ? [single.output as Located<T>] : [] })
        }
        if (at.items.length === 0 && !isEmptyAllowed) {
          addIssue(issueOf('the list is empty', `name at least one, or leave the key out`, plural, 'an empty list'))
        }
        const value = at.items.flatMap((each, key) => {
          const result = v.safeParse(item.schema, each)
          for (const issue of result.issues ?? [])
            addIssue(nested(issue, { type: 'array', key, value: each, input: at.items }))
          return isLocated(result.output) ? [result.output as Located<T>] : []
        })
        return keep(dataset, { at, value })
      }),
    ),
  }
}

/** Creates the type of a map whose keys are the operator's own. */
export function dictionaryOf<T>(item: Type<T>, keys: string): Type<ReadonlyMap<string, Located<T>>> {
  return {
    name: `map of ${keys}`,
    parts: { kind: 'dictionary', item: item as Type<unknown> },
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<ReadonlyMap<string, Located<T>>>>(({ dataset, addIssue, NEVER }) => {
        const at = dataset.value
        if (at.kind === 'missing') return { at, value: new Map() }
        if (at.kind !== 'map') {
          addIssue(issueOf('not a map', `write it as \`{ … }\``, `a map of ${keys}`, describeValue(at)))
          return NEVER
        }
        const value = new Map<string, Located<T>>()
        for (const [key, entry] of at.entries) {
          const result = v.safeParse(item.schema, entry.value)
          for (const issue of result.issues ?? []) addIssue(nested(issue, itemOf(key, entry.value, at)))
          if (isLocated(result.output)) value.set(key, result.output as Located<T>)
        }
        return keep(dataset, { at, value })
      }),
    ),
  }
}

/** Creates the type of a map with known keys. */
export function blockOf(block: BlockDeclaration): Type<Block> {
  return {
    name: 'map',
    parts: { kind: 'block', block },
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<Block>>(({ dataset, addIssue, NEVER }) => {
        const at = dataset.value
        if (at.kind === 'missing') return { at, value: { entries: new Map() } }
        if (at.kind !== 'map') {
          const keys = block.keys.slice(0, 3).map((key) => key.name)
          addIssue(
            issueOf(
              'not a map',
              'write it as `{ key: value, … }`',
              `a map with keys such as ${keys.join(', ')}`,
              describeValue(at),
            ),
          )
          return NEVER
        }
        const entries = new Map<string, Located<unknown> | undefined>()
        for (const entry of at.entries.values()) {
          const key = findKey(block.keys, entry.key)
          if (key === undefined) continue
          const result = v.safeParse(key.type.schema, entry.value)
          for (const issue of result.issues ?? []) addIssue(nested(issue, itemOf(key.name, entry.value, at)))
          entries.set(key.name, isLocated(result.output) ? result.output : undefined)
        }
        return keep(dataset, { at, value: { entries } })
      }),
    ),
  }
}

/** Creates the type of a list (or its single item) that may be written as a map with more to say. */
export function listOrBlock<T>(
  list: Type<readonly Located<T>[]>,
  block: Type<Block>,
): Type<readonly Located<T>[] | Block> {
  return {
    ...block,
    name: `${list.name}, or map`,
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<readonly Located<T>[] | Block>>(({ dataset, addIssue }) => {
        const at = dataset.value
        const result = v.safeParse(at.kind === 'map' ? block.schema : list.schema, at)
        for (const issue of result.issues ?? []) addIssue(nested(issue))
        return keep(dataset, result.output as Located<readonly Located<T>[] | Block>)
      }),
    ),
  }
}

export interface FlagOptions {
  /** Words that nats-server reads as true or false here. */
  readonly on?: readonly string[]
  readonly off?: readonly string[]
  /** What to write instead of some text. */
  readonly hint?: (written: string) => string | undefined
}

/** Creates the type of a map that may also be switched on or off as a whole. */
export function flagOr(block: Type<Block>, { on = [], off = [], hint }: FlagOptions = {}): Type<boolean | Block> {
  return {
    ...block,
    name: 'boolean or map',
    schema: v.pipe(
      v.custom<Value>(() => true),
      v.rawTransform<Value, Located<boolean | Block>>(({ dataset, addIssue, NEVER }) => {
        const at = dataset.value
        if (at.kind === 'boolean') return { at, value: at.value }
        if (at.kind === 'map' || at.kind === 'missing') {
          const result = v.safeParse(block.schema, at)
          for (const issue of result.issues ?? []) addIssue(nested(issue))
          return keep(dataset, result.output as Located<Block>)
        }
        const written = at.kind === 'string' ? at.value : ''
        if (on.includes(written.toLowerCase())) return { at, value: true }
        if (off.includes(written.toLowerCase())) return { at, value: false }
        const isQuoted = /^(true|false|yes|no|on|off)$/i.test(written)
        const advice = isQuoted ? 'write it without quotes' : hint?.(written)
        const expected = 'true, false or a map'
        addIssue(issueOf('neither true, false nor a map', advice ?? `write ${expected}`, expected, describeValue(at)))
        return NEVER
      }),
    ),
  }
}

/** Finds a key by any of its names, in upper or lower case. */
export function findKey<K extends { readonly name: string; readonly aliases?: readonly string[] }>(
  keys: readonly K[],
  name: string,
): K | undefined {
  const lower = name.toLowerCase()
  return keys.find((key) => key.name === lower || key.aliases?.includes(lower))
}

/** Reads the whole configuration: what could be read of it, and every value that is wrong. */
export function readBlock(type: Type<Block>, root: Value): { block: Block; problems: readonly ConfigProblem[] } {
  const result = v.safeParse(type.schema, root)
  const output: unknown = result.output
  const block = isLocated(output) ? (output.value as Block) : { entries: new Map() }
  return { block, problems: (result.issues ?? []).map((issue) => problemOf(issue, root)) }
}

function problemOf(issue: v.BaseIssue<unknown>, root: Place): ConfigProblem {
  const path = issue.path ?? []
  const place = (path.at(-1)?.value as Value | undefined) ?? root
  const [summary = '', hint = ''] = issue.message.split('\n')
  const name = path
    .map(({ key }, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${key}`))
    .join('')
  return createProblem(place, name, { summary, found: issue.received, expected: issue.expected ?? '', hint })
}

/** Valibot drops what a transformation with issues returns; kept, the rest of a list or map is looked at too. */
function keep<T>(dataset: { readonly value: unknown }, output: T): T {
  ;(dataset as { value: unknown }).value = output
  return output
}

function isLocated(output: unknown): output is Located<unknown> {
  return typeof output === 'object' && output !== null && 'at' in output
}

type IssueWords = {
  message: string
  expected: string
  received: string
  path?: [v.IssuePathItem, ...v.IssuePathItem[]]
}

/** Valibot's issue has no place for a hint: it rides in the message, on a line of its own. */
function issueOf(summary: string, hint: string, expected: string, received: string): IssueWords {
  return { message: `${summary}\n${hint}`, expected, received }
}

function nested(
  issue: v.BaseIssue<unknown>,
  step?: Pick<v.IssuePathItem, 'type' | 'key' | 'value' | 'input'>,
): IssueWords {
  const path = [...(step ? [{ origin: 'value', ...step }] : []), ...(issue.path ?? [])] as v.IssuePathItem[]
  const words = { message: issue.message, expected: issue.expected ?? '', received: issue.received }
  return path.length > 0 ? { ...words, path: path as [v.IssuePathItem, ...v.IssuePathItem[]] } : words
}

function itemOf(key: string, value: Value, input: Value): Pick<v.IssuePathItem, 'type' | 'key' | 'value' | 'input'> {
  return { type: 'object', key, value, input } as unknown as v.ObjectPathItem
}
