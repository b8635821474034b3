/**
 * Changes DER as an attacker or a broken responder would: by its structure, with all lengths around the change kept
 * right, so that what decodes looks deep; and by raw octets, so that what is not DER at all comes too.
 *
 * Which change is made is told by plain numbers, so that fast-check can draw and shrink them.
 */
import { joinBytes } from '../../src/pki/der/bytes.ts'
import { encodeValue } from '../../src/pki/der/writer.ts'

/** One change: what to do, where, and with what; numbers of any size, folded into what there is. */
export interface Change {
  readonly kind: number
  readonly where: number
  readonly value: number
}

/** A value as a tree; strings that hold DER are opened too. */
export interface Node {
  tag: number
  /** Of a value without children. */
  content: Uint8Array
  /** What stands before the children: the unused-bits octet of a BIT STRING. */
  prefix: Uint8Array
  children: Node[] | undefined
  /** Writes the header in another way than DER has it. */
  header: ((tag: number, length: number) => number[]) | undefined
  /** Where the header is that of the indefinite form. */
  isUnended: boolean
}

/** Parses what is known to be DER. */
export function parseTree(der: Uint8Array): Node {
  const [node] = parseValues(der) ?? []
  if (node === undefined) throw new Error('not DER')
  return node
}

/** Applies the changes in turn; `others` is where foreign values are taken from. */
export function mutate(base: Node, changes: readonly Change[], others: readonly Node[]): Uint8Array {
  const root: Node = copy(base)
  const raw: Change[] = []
  for (const change of changes) {
    if (change.kind % changeCount < structural.length) {
      const all = list(root)
      const at = all[change.where % all.length] as Place
      structural[change.kind % changeCount]?.(at, change.value, others)
    } else raw.push(change)
  }
  let der = serialize(root)
  for (const { kind, where, value } of raw) {
    const change = textual[(kind % changeCount) - structural.length]
    if (change !== undefined && der.length > 0) der = change(der, where % der.length, value)
  }
  return der
}

interface Place {
  readonly node: Node
  readonly siblings: Node[]
  readonly index: number
}

const structural: readonly ((at: Place, value: number, others: readonly Node[]) => void)[] = [
  ({ node }, value) => change(node, (content) => flipBit(content, value)),
  ({ siblings, index }) => siblings.splice(index, 1),
  ({ siblings, index, node }) => siblings.splice(index, 0, copy(node)),
  ({ siblings, index }, value) => {
    const other = value % siblings.length
    const [one, two] = [siblings[index] as Node, siblings[other] as Node]
    siblings[index] = two
    siblings[other] = one
  },
  ({ node }, value) => {
    node.tag = value & 0xff
  },
  ({ node }, value) => {
    node.tag ^= 1 << (value & 7)
  },
  ({ siblings, index }, value, others) => {
    const foreign = list(copy(others[value % others.length] as Node))
    siblings[index] = (foreign[(value >>> 4) % foreign.length] as Place).node
  },
  ({ siblings, index, node }, value, others) => {
    // A value of the same kind out of another message: what a splice that still decodes is made of.
    const foreign = list(copy(others[value % others.length] as Node)).filter(({ node: { tag } }) => tag === node.tag)
    const chosen = foreign[(value >>> 4) % Math.max(1, foreign.length)]
    if (chosen !== undefined) siblings[index] = chosen.node
  },
  ({ node }, value) => change(node, (content) => content.subarray(0, value % (content.length + 1))),
  ({ node }, value) => change(node, (content) => joinBytes([content, Uint8Array.of(value & 0xff)])),
  ({ node }, value) => change(node, (content) => joinBytes([Uint8Array.of(value & 0xff), content])),
  ({ node }) => {
    node.header = (tag, length) => [tag, 0x84, 0, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
  },
  ({ node }) => {
    node.header = (tag) => [tag, 0x80]
    node.isUnended = true
  },
  ({ node }, value) => {
    node.header = (tag, length) => [tag, (length + (value % 5) - 2) & 0x7f]
  },
  ({ node }, value) => {
    node.header = (tag) => [tag, 0x80 | (value & 0x7f), 0xff, 0xff, 0xff]
  },
  ({ siblings, index, node }, value) => {
    let wrapped = node
    for (let level = value % 24; level >= 0; level--) {
      wrapped = { ...blank, tag: level % 2 === 0 ? 0x30 : 0xa0, children: [wrapped] }
    }
    siblings[index] = wrapped
  },
  ({ node }, value) => {
    const texts = [
      '',
      '20260231000000Z',
      '20261301000000Z',
      '20260601000000+0100',
      '20260601000000.5Z',
      '99991231235959Z',
    ]
    change(node, () => new TextEncoder().encode(texts[value % texts.length]))
  },
  ({ node }, value) => {
    const numbers = [[0], [0x80], [0, 1], [0xff, 0xff], [0x7f, ...new Array(30).fill(0xff)], new Array(300).fill(0x81)]
    change(node, () => Uint8Array.from(numbers[value % numbers.length] as number[]))
  },
  ({ node }, value) => {
    if (node.children === undefined || node.children.length === 0) return
    const [first] = node.children
    // Once, and not again on what has grown: this is about limits of count, not about memory.
    if (node.children.length < 100) node.children.push(...Array.from({ length: value % 80 }, () => copy(first as Node)))
  },
]

const textual: readonly ((der: Uint8Array, at: number, value: number) => Uint8Array)[] = [
  (der, at, value) => flipBit(der, at * 8 + (value & 7)),
  (der, at, value) => {
    const changed = der.slice()
    changed[at] = value & 0xff
    return changed
  },
  (der, at) => der.subarray(0, at),
  (der, at, value) => joinBytes([der.subarray(0, at), Uint8Array.of(value & 0xff), der.subarray(at)]),
  (der, at, value) => joinBytes([der.subarray(0, at), der.subarray(at + 1 + (value % 8))]),
  (der, _, value) => joinBytes([der, Uint8Array.of(value & 0xff)]),
]

/** How many kinds of change there are. */
export const changeCount: number = structural.length + textual.length

const blank: Node = {
  tag: 0,
  content: new Uint8Array(),
  prefix: new Uint8Array(),
  children: undefined,
  header: undefined,
  isUnended: false,
}

function parseValues(bytes: Uint8Array): Node[] | undefined {
  const nodes: Node[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] as number
    let length = bytes[at + 1] ?? 0x80
    at += 2
    if (length === 0x80 || length > 0x84) return undefined
    if (length > 0x80) {
      const octets = bytes.subarray(at, at + (length & 0x7f))
      length = octets.reduce((total, octet) => total * 256 + octet, 0)
      at += octets.length
    }
    if (at + length > bytes.length) return undefined
    nodes.push(nodeOf(tag, bytes.subarray(at, at + length)))
    at += length
  }
  return nodes
}

function nodeOf(tag: number, content: Uint8Array): Node {
  if ((tag & 0x20) !== 0) return { ...blank, tag, children: parseValues(content) ?? [] }
  const skipped = tag === 0x03 ? 1 : 0
  const held = content.subarray(skipped)
  // Only what begins as a SEQUENCE: a digest that happens to parse is no structure.
  const inner = (tag === 0x03 || tag === 0x04) && held[0] === 0x30 ? parseValues(held) : undefined
  if (inner?.length !== 1) return { ...blank, tag, content }
  return { ...blank, tag, prefix: content.subarray(0, skipped), children: inner }
}

function copy(node: Node): Node {
  return { ...node, children: node.children?.map(copy) }
}

function list(root: Node): Place[] {
  const places: Place[] = [{ node: root, siblings: [root], index: 0 }]
  const walk = ({ children }: Node) => {
    if (children === undefined) return
    for (const [index, node] of children.entries()) {
      places.push({ node, siblings: children, index })
      walk(node)
    }
  }
  walk(root)
  return places
}

function contentOf(node: Node): Uint8Array {
  return node.children === undefined ? node.content : joinBytes([node.prefix, ...node.children.map(serialize)])
}

function serialize(node: Node): Uint8Array {
  const content = contentOf(node)
  if (node.header === undefined) return encodeValue(node.tag, content)
  const parts = [Uint8Array.from(node.header(node.tag, content.length)), content]
  if (node.isUnended) parts.push(new Uint8Array(2))
  return joinBytes(parts)
}

function change(node: Node, how: (content: Uint8Array) => Uint8Array): void {
  node.content = how(contentOf(node))
  node.children = undefined
}

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  if (bytes.length === 0) return bytes
  const changed = bytes.slice()
  const at = (bit >>> 3) % bytes.length
  changed[at] = (changed[at] as number) ^ (1 << (bit & 7))
  return changed
}
