/** Reads what the code says about itself: which exports a door has, their docstrings, and the examples in those. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

/** An export as its own module declares it. */
export interface Documented {
  readonly name: string
  /** An interface or a type, which its members may explain better than a sentence above it. */
  readonly isType: boolean
  /** Without the comment's stars; empty when there is none. */
  readonly docstring: string
}

/** One `@example`: its title and its code. */
export interface Example {
  readonly file: string
  readonly title: string
  readonly code: string
}

/** What a module declares and exports, each with the comment right above it. */
export function readDocumented(file: string): Documented[] {
  const text = readFileSync(file, 'utf8')
  const { program, comments } = parseSync(file, text)
  return program.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) return []
    const above = comments.findLast((each) => each.type === 'Block' && each.end <= statement.start)
    const isAttached = above !== undefined && text.slice(above.end, statement.start).trim() === ''
    const docstring = isAttached ? above.value.replace(/^\s*\*+ ?/gm, '').trim() : ''
    const isType = statement.declaration.type.startsWith('TS')
    return declaredNames(statement.declaration).map((name) => ({ name, isType, docstring }))
  })
}

/** Where every name that a door exports is declared: the file and its name there. */
export function readDoor(door: string): { readonly file: string; readonly name: string }[] {
  const { module } = parseSync(door, readFileSync(door, 'utf8'))
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName, importName, moduleRequest }) => {
      if (exportName.name) return [findDeclaration(door, exportName.name)]
      const isStar = String(importName.kind) === 'AllButDefault' && moduleRequest
      return isStar ? readDoor(join(dirname(door), moduleRequest.value)) : []
    }),
  )
}

/** Follows `export … from` and `import` to the module that declares the name. */
function findDeclaration(file: string, name: string): { readonly file: string; readonly name: string } {
  const { module } = parseSync(file, readFileSync(file, 'utf8'))
  const exported = module.staticExports.flatMap(({ entries }) => entries).find((each) => each.exportName.name === name)
  const imported = module.staticImports
    .flatMap(({ moduleRequest, entries }) => entries.map((each) => ({ moduleRequest, ...each })))
    .find((each) => each.localName.value === exported?.localName.name)
  const source = exported?.moduleRequest ?? imported?.moduleRequest
  const next = exported?.moduleRequest ? exported.importName.name : imported?.importName.name
  return source && next ? findDeclaration(join(dirname(file), source.value), next) : { file, name }
}

/** Every `@example` under a folder. */
export function readExamples(directory: string): Example[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .flatMap((path) =>
      readDocumented(join(directory, path)).flatMap(({ docstring }) =>
        [...docstring.matchAll(/^@example (.*)\n([\s\S]*?)(?=^@|$(?![\s\S]))/gm)].map(([, title = '', code = '']) => ({
          file: path,
          title,
          code: code.replace(/^```\w*$/gm, '').trim(),
        })),
      ),
    )
}

function declaredNames(declaration: { readonly type: string }): string[] {
  const { id, declarations } = declaration as {
    id?: { name?: string }
    declarations?: readonly { id: { name?: string } }[]
  }
  return [id, ...(declarations ?? []).map((each) => each.id)].flatMap((each) => (each?.name ? [each.name] : []))
}
