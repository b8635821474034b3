/**
 * The tree of a configuration: every value with its kind, source text and place.
 *
 * The parser (parse.ts) reads one text; resolve.ts follows variables and includes and makes these. What a value means
 * is the schema's to say: a bare `5m` is the number 5,000,000 and, by its source text, five minutes.
 */

/** Where something stands; line and column count from 1. */
export interface Place {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
}

interface Common extends Place {
  /** As written; where it came from a variable, what the variable was given. */
  readonly source: string
  /** The variable it came from. */
  readonly variable?: string
}

export type Value =
  | (Common & { readonly kind: 'string'; readonly style: StringStyle; readonly value: string })
  | (Common & { readonly kind: 'boolean'; readonly value: boolean })
  | (Common & { readonly kind: 'integer'; readonly value: bigint })
  | (Common & { readonly kind: 'float'; readonly value: number })
  | (Common & { readonly kind: 'datetime'; readonly value: Date })
  | (Common & { readonly kind: 'list'; readonly items: readonly Value[] })
  | MapValue
  /** A variable that could not be looked up: already reported, so nobody else complains about it. */
  | (Common & { readonly kind: 'missing' })

export type StringStyle = 'bare' | 'single' | 'double' | 'block'

export type MapValue = Common & {
  readonly kind: 'map'
  /** By key as written; of a key given twice the last. */
  readonly entries: ReadonlyMap<string, Entry>
}

/** One key with its value. */
export interface Entry {
  /** As written. */
  readonly key: string
  readonly place: Place
  readonly value: Value
  /** Some `$key` referred to it: it may be a name of the operator's own. */
  readonly isVariable: boolean
  /** Where the same key stood before, in the same map. */
  readonly overrides?: Place
}

/** What a value is, in words: `the number 5`, `the text "x"`, `a list`. */
export function describeValue(value: Value): string {
  const from = value.variable === undefined ? '' : ` (from $${value.variable})`
  return `${describe(value)}${from}`
}

function describe(value: Value): string {
  switch (value.kind) {
    case 'string':
      return value.value === '' ? 'an empty text' : `the text ${quote(value.value)}`
    case 'boolean':
      return `the boolean ${value.source}`
    case 'integer':
    case 'float':
      return `the number ${value.source}`
    case 'datetime':
      return `the date ${value.source}`
    case 'list':
      return value.items.length === 0 ? 'an empty list' : 'a list'
    case 'map':
      return value.entries.size === 0 ? 'an empty map' : 'a map'
    case 'missing':
      return 'a variable without a value'
  }
}

/** In quotes, on one line, of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text)
}
