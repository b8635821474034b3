/** Trees of configurations as plain data, to compare them with what was meant. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Document, readDocument } from '../../src/run/config/resolve.ts'
import type { Value } from '../../src/run/config/value.ts'
import type { Meaning } from '../run/config/documents.ts'
import type { Case } from './nats-oracle.ts'
import { temporaryDirectory } from './temporary.ts'

/** What a value means, without its places. */
export function meaningOf(value: Value): Meaning | undefined {
  switch (value.kind) {
    case 'missing':
      return undefined
    case 'list':
      return value.items.map((item) => meaningOf(item) as Meaning)
    case 'map':
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, meaningOf(entry.value) as Meaning]))
    default:
      return value.value
  }
}

let directory: string | undefined
let count = 0

/** Reads a text as a file of its own, further files beside it. */
export async function readText(
  text: string | Uint8Array,
  { files = {}, environment = {} }: Omit<Case, 'text'> = {},
): Promise<Document> {
  directory ??= temporaryDirectory('meaning')
  const own = join(directory, String(count++))
  for (const [name, content] of Object.entries({ ...files, 'test.conf': text })) {
    await mkdir(dirname(join(own, name)), { recursive: true })
    await writeFile(join(own, name), content)
  }
  return readDocument(join(own, 'test.conf'), environment)
}
