#!/usr/bin/env node
/**
 * Makes src/run/config/grammar.js and grammar.d.ts from grammar.peggy; git ignores both, the build copies the former.
 *
 * Run by tools/build.mjs, and by test/kit/generate-grammar.ts before the tests. Needs peggy and nothing else.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import peggy from 'peggy'

const folder = new URL('../src/run/config/', import.meta.url)

/** Writes both files, each at once, and only if its text is new: several programs may do this side by side. */
export function generateGrammar() {
  const grammar = new URL('grammar.peggy', folder)
  const parser = peggy.generate(readFileSync(grammar, 'utf8'), {
    grammarSource: fileURLToPath(grammar),
    output: 'source',
    format: 'es',
  })
  replace(new URL('grammar.js', folder), parser)
  replace(new URL('grammar.d.ts', folder), declarations)
}

function replace(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  const next = new URL(`${file.href}.${process.pid}`)
  writeFileSync(next, text)
  renameSync(next, file)
}

const declarations = `// Made by tools/grammar.mjs.

/** What every node has: its text in the file, and its place, counted from 1. */
interface Node {
  readonly source: string
  readonly line: number
  readonly column: number
}

export type RawValue =
  | (Node & { readonly kind: 'string'; readonly style: 'bare' | 'single' | 'double' | 'block'; readonly value: string })
  | (Node & { readonly kind: 'boolean'; readonly value: boolean })
  | (Node & { readonly kind: 'integer'; readonly value: bigint })
  | (Node & { readonly kind: 'float'; readonly value: number })
  | (Node & { readonly kind: 'datetime'; readonly value: Date })
  | (Node & { readonly kind: 'variable'; readonly name: string })
  | (Node & { readonly kind: 'list'; readonly items: readonly RawValue[] })
  | (Node & { readonly kind: 'map'; readonly entries: readonly RawEntry[] })

export type RawKey = Node & { readonly kind: 'key'; readonly name: string }

export type RawEntry =
  | { readonly kind: 'entry'; readonly key: RawKey; readonly value: RawValue }
  | (Node & { readonly kind: 'include'; readonly path: string })

export interface RawDocument {
  readonly entries: readonly RawEntry[]
  readonly notes: readonly { readonly message: string; readonly line: number; readonly column: number }[]
}

export interface ParseOptions {
  readonly maxDepth: number
  /** The lines at which the maps and lists begin that are still open when parsing fails. */
  readonly open: number[]
}

export function parse(text: string, options: ParseOptions): RawDocument

export class SyntaxError extends Error {
  readonly expected: readonly { readonly type: string; readonly description?: string; readonly text?: string }[] | null
  readonly found: string | null
  readonly location: { readonly start: { readonly offset: number; readonly line: number; readonly column: number } }
}
`

if (process.argv[1] === fileURLToPath(import.meta.url)) generateGrammar()
