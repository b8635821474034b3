/** A command line run inside the test's process: what it wrote, and its exit code. */
import { PassThrough } from 'node:stream'
import type { Io } from '../../src/run/cli/io.ts'
import { runProgram } from '../../src/run/cli/program.ts'

export interface CommandEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly workingDirectory?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs words as `staplewright` gets them, without a terminal. */
export async function runCommand(words: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) =>
    new PassThrough().setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
    }) as unknown as NodeJS.WriteStream
  const io: Io = {
    stdin: new PassThrough() as unknown as NodeJS.ReadStream,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory ?? process.cwd(),
    onSignal: () => () => {},
  }
  const code = await runProgram(words, io)
  await new Promise((resolve) => setImmediate(resolve))
  return { code, ...written }
}
