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
  /** What standard input holds; default nothing. */
  readonly stdin?: Uint8Array | string
  /** Which streams are a terminal; default none. */
  readonly terminals?: readonly ('stdin' | 'stdout' | 'stderr')[]
  /** Where signals come from; default none come. */
  readonly onSignal?: Io['onSignal']
}

/** Runs words as `staplewright` gets them, without a terminal unless told. */
export async function runCommand(words: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  const { stdoutBytes, code, stderr } = await runForBytes(words, options)
  return { code, stdout: Buffer.from(stdoutBytes).toString(), stderr }
}

/** The same where standard output is no text. */
export async function runForBytes(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<Omit<CommandEnd, 'stdout'> & { readonly stdoutBytes: Uint8Array }> {
  const written: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const isTTY = (name: 'stdin' | 'stdout' | 'stderr') => options.terminals?.includes(name) ?? false
  const stream = (name: keyof typeof written) => {
    const through = new PassThrough().on('data', (chunk: Buffer) => written[name].push(chunk))
    return Object.assign(through, { isTTY: isTTY(name) }) as unknown as NodeJS.WriteStream
  }
  const stdin = new PassThrough()
  stdin.end(options.stdin ?? '')
  const io: Io = {
    stdin: Object.assign(stdin, { isTTY: isTTY('stdin') }) as unknown as NodeJS.ReadStream,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory ?? process.cwd(),
    onSignal: options.onSignal ?? (() => () => {}),
  }
  const code = await runProgram(words, io)
  await new Promise((resolve) => setImmediate(resolve))
  const stdoutBytes = new Uint8Array(Buffer.concat(written.stdout))
  return { code, stdoutBytes, stderr: Buffer.concat(written.stderr).toString() }
}
