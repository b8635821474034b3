/** Configurations as text: written into a directory of their own, and loaded there. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConfigProblem, isStapleError } from '../../src/errors.ts'
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../src/run/config/index.ts'
import { blockOf, type Key, readBlock, type Type } from '../../src/run/config/type.ts'
import { readText } from './meaning.ts'
import { temporaryDirectory } from './temporary.ts'

export interface TextOptions extends Partial<LoadOptions> {
  /** Further files beside the configuration. */
  readonly files?: Readonly<Record<string, string>>
}

/** Loads a text as `test.conf`; its directory is the working directory. */
export async function loadText(
  text: string | Uint8Array,
  { files = {}, ...options }: TextOptions = {},
): Promise<LoadedConfig> {
  const workingDirectory = options.workingDirectory ?? temporaryDirectory('config')
  for (const [name, content] of Object.entries(files)) await writeFile(join(workingDirectory, name), content)
  await writeFile(join(workingDirectory, 'test.conf'), text)
  return loadConfig('test.conf', { environment: {}, ...options, workingDirectory })
}

/** The problems of a text that must not load. */
export async function problemsOf(
  text: string | Uint8Array,
  options: TextOptions = {},
): Promise<readonly ConfigProblem[]> {
  const error = await failureOf(text, options)
  return (error.detail as { problems: readonly ConfigProblem[] }).problems
}

/** The error of a text that must not load. */
export async function failureOf(text: string | Uint8Array, options: TextOptions = {}) {
  const outcome = await loadText(text, options).catch((error: unknown) => error)
  if (!isStapleError(outcome, 'ERR_CONFIG_INVALID'))
    throw new Error(`expected ERR_CONFIG_INVALID, got ${outcome}`, { cause: outcome })
  return outcome
}

/** What a type makes of a value as it would stand in a file: the meaning, or the one problem. */
export async function readAs<T>(type: Type<T>, written: string): Promise<{ value: T } | { problem: ConfigProblem }> {
  const document = await readText(`key: ${written}\n`)
  if (document.problems[0]) return { problem: document.problems[0] }
  const key: Key<T> = { name: 'key', origin: 'own', type, meaning: '', example: '' }
  const { block, problems } = readBlock(blockOf({ keys: [key as Key<unknown>], idle: [] }), document.root)
  if (problems[0]) return { problem: problems[0] }
  return { value: (block.entries.get('key') as { value: T }).value }
}
