/**
 * What one TypeScript module says about itself, read from its syntax tree: imports, exports, and what it reaches for.
 *
 * Only facts; tools/architecture.ts judges them. Types count as imports: a border that only types cross is crossed.
 */
import { parseSync } from 'oxc-parser'

/** The facts about one module. */
export interface ModuleFacts {
  /** What every `import`, `export … from`, `import()` and `import('…')` type names, as written. */
  readonly imports: readonly string[]
  /** The names the module itself declares and exports. */
  readonly exports: readonly string[]
  /** Those of them that are functions. */
  readonly functions: readonly string[]
  /** What it uses of the machine's time, chance and process: `Date.now`, `new Date()`, `setTimeout`, `Math.random`, … */
  readonly reaches: readonly string[]
  readonly hasTopLevelAwait: boolean
  /** Names of module-level `let` and `var`: state that every importer would share. */
  readonly moduleVariables: readonly string[]
  readonly firstComment: string
  /** Whether nothing but a `#!` line stands before that comment. */
  readonly opensWithComment: boolean
  readonly lines: number
}

type Node = { readonly type: string; readonly [key: string]: unknown }

const timers = new Set(['setTimeout', 'setInterval'])
const members = new Set([
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'process.hrtime',
  'process.uptime',
  'AbortSignal.timeout',
  'Math.random',
  'process.exit',
  'process.exitCode',
])

/** Reads the facts about one module from its text. */
export function readModule(file: string, text: string): ModuleFacts {
  const { program, errors, comments } = parseSync(file, text)
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`)
  const imports = new Set<string>()
  const exports = new Set<string>()
  const functions = new Set<string>()
  const reaches = new Set<string>()
  let hasTopLevelAwait = false

  walk(program as unknown as Node, (node, ancestors) => {
    const source = importedModule(node)
    if (source !== undefined) imports.add(source)
    for (const each of declaredExports(node)) exports.add(each)
    if (node.type === 'FunctionDeclaration' && ancestors.at(-1)?.type === 'ExportNamedDeclaration') {
      functions.add(name(node.id) ?? '')
    }
    const reached = reach(node, ancestors.at(-1))
    if (reached !== undefined) reaches.add(reached)
    if (isAwait(node) && !ancestors.some(isFunction)) hasTopLevelAwait = true
  })
  return {
    imports: [...imports],
    exports: [...exports],
    functions: [...functions],
    reaches: [...reaches],
    hasTopLevelAwait,
    moduleVariables: moduleVariables(program as unknown as Node),
    firstComment: comments[0]?.value ?? '',
    opensWithComment: /^(#!.*\n)?\/[*/]/.test(text),
    lines: text.split('\n').length - 1,
  }
}

function walk(node: Node, visit: (node: Node, ancestors: readonly Node[]) => void, ancestors: readonly Node[] = []) {
  visit(node, ancestors)
  const path = [...ancestors, node]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit, path)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

function importedModule(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literal(node.source)
    default:
      return undefined
  }
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  return typeof node.value === 'string' ? node.value : literal(node.literal)
}

function declaredExports(node: Node): string[] {
  if (node.type !== 'ExportNamedDeclaration' || !isNode(node.declaration)) return []
  const { id, declarations } = node.declaration
  const ids = Array.isArray(declarations) ? declarations.map((each: Node) => each.id) : [id]
  return ids.flatMap((each) => (isNode(each) && typeof each.name === 'string' ? [each.name] : []))
}

function reach(node: Node, parent: Node | undefined): string | undefined {
  if ((node.type === 'NewExpression' || node.type === 'CallExpression') && name(node.callee) === 'Date') {
    if (node.type === 'CallExpression') return 'Date()'
    return Array.isArray(node.arguments) && node.arguments.length === 0 ? 'new Date()' : undefined
  }
  if (node.type === 'MemberExpression') {
    const [object, property] = [name(node.object), name(node.property)]
    if (object === undefined || property === undefined) return undefined
    if (object === 'console') return 'console'
    if (object === 'globalThis' && timers.has(property)) return property
    return members.has(`${object}.${property}`) ? `${object}.${property}` : undefined
  }
  if (node.type === 'Identifier' && timers.has(String(node.name)) && !isOnlyAName(node, parent))
    return String(node.name)
  return undefined
}

/** Whether the identifier names a property or key (`socket.setTimeout`) and not the global of that name. */
function isOnlyAName(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return false
  if (parent.type === 'MemberExpression') return parent.property === node && parent.computed !== true
  return parent.key === node && parent.computed !== true && parent.shorthand !== true
}

function name(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? String(node.name) : undefined
}

function isAwait(node: Node): boolean {
  return node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await === true)
}

function isFunction(node: Node): boolean {
  return node.type.includes('Function') || node.type === 'MethodDefinition'
}

function moduleVariables(program: Node): string[] {
  const statements = (program.body as Node[]).map((each) => (isNode(each.declaration) ? each.declaration : each))
  return statements
    .filter((each) => each.type === 'VariableDeclaration' && each.kind !== 'const')
    .flatMap((each) => (each.declarations as Node[]).map((declaration) => name(declaration.id) ?? '?'))
}
