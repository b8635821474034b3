/**
 * Where the daemon of a configuration is asked: what `staplewright status -c FILE` needs of FILE, and nothing more. A key
 * that only the daemon may read, or a certificate that is gone, must not keep anybody from asking how it is.
 */
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readAdmin } from './admin.ts'
import { look } from './block.ts'
import * as keys from './keys.ts'
import { createReport } from './report.ts'
import { readDocument } from './resolve.ts'
import type { LoadOptions } from './settings.ts'
import { type Block, readBlock } from './type.ts'

/**
 * Reads where the control socket of a configuration is. Whatever else is wrong with the file is not looked at.
 *
 * @param given - relative to `options.workingDirectory`
 * @throws {@link StapleError} `ERR_CONFIG_READ` when the file cannot be read
 */
export async function readSocketPath(given: string, options: LoadOptions): Promise<string> {
  const file = resolve(options.workingDirectory, given)
  const { root } = await readDocument(file, options.environment)
  const { block } = readBlock(keys.configuration, root)
  return socketOf(block, file, options)
}

/** The sockets of daemons without a `store_dir`, run by this user: where to look when no configuration is named. */
export async function listRuntimeSockets(options: LoadOptions): Promise<string[]> {
  const directory = dirname(socketOf({ entries: new Map() }, '', options))
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => name.endsWith('.sock')).map((name) => join(directory, name))
}

function socketOf(block: Block, file: string, options: LoadOptions): string {
  const jetStream = look(block, keys.jetStream)?.value
  const theirs = typeof jetStream === 'object' ? look(jetStream, keys.jetStreamStoreDir) : undefined
  const directory = (look(block, keys.storeDir) ?? theirs)?.value
  const storeDir = directory === undefined ? undefined : resolve(options.workingDirectory, directory)
  return readAdmin(block, { file, storeDir, listeners: [], options, report: createReport() }).socket
}
