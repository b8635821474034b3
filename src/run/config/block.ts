/**
 * Looking keys up in a map that was read: given, by default, or not at all.
 */
import * as v from 'valibot'
import { readValue } from './resolve.ts'
import type { Block, Key, Located } from './type.ts'

/** Tells whether a key stands in the map, even if its value is wrong. */
export function isGiven(block: Block, key: Key<unknown>): boolean {
  return block.entries.has(key.name)
}

/** What a key was given, with its place; undefined when it was not, or its value is wrong, which is reported already. */
export function look<T>(block: Block, key: Key<T>): Located<T> | undefined {
  const given = block.entries.get(key.name) as Located<T> | undefined
  return given?.value === undefined ? undefined : given
}

/** What a key means: as given, else by default. */
export function valueOf<T>(block: Block, key: Key<T>): T {
  return look(block, key)?.value ?? defaultOf(key)
}

/** The default of a key, read as it is written in the reference. */
function defaultOf<T>(key: Key<T>): T {
  if (key.default === undefined) throw new TypeError(`${key.name} has no default`)
  return v.parse(key.type.schema, readValue(key.default, { file: `default of ${key.name}`, line: 1, column: 1 })).value
}
