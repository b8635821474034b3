/** What a command sees of the process, so that tests and other programs can run one. */
import { createStyle, type Style } from '../journal/style.ts'

export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: NodeJS.ProcessEnv
  readonly workingDirectory: string
  /** Calls back on each signal; returns how to stop listening. */
  onSignal(signal: NodeJS.Signals, listener: () => void): () => void
}

/** The process itself. */
export function ioOfProcess(): Io {
  // Who reads a log may end before what it tells of; an error that nobody hears would then end the front, too.
  process.stdout.on('error', ignore)
  process.stderr.on('error', ignore)
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    workingDirectory: process.cwd(),
    onSignal(signal, listener) {
      process.on(signal, listener)
      return () => process.off(signal, listener)
    },
  }
}

/** The style of a stream under the command's own --no-color. */
export function chooseStyle(io: Io, stream: NodeJS.WriteStream, wantsColour: boolean): Style {
  return createStyle(stream, io.environment, wantsColour)
}

function ignore(): void {}
