/**
 * `staplewright serve` as a user runs it: the built program, a configuration file, a child process and its log.
 *
 * The log is JSON lines on stderr, because that is no terminal. Everything is waited for, nothing slept for.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Leaf } from './authority.ts'
import { type Program, startProgram } from './program.ts'
import { temporaryDirectory } from './temporary.ts'

export interface DaemonOptions {
  /** Arguments after `serve -c FILE`, as `['--listen', '127.0.0.1:0']`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where relative paths of the configuration begin; default its own directory. */
  readonly cwd?: string
}

/** The parts of a configuration that tests differ in. */
export interface ConfigOptions {
  readonly backend: string
  readonly leaf: Pick<Leaf, 'certificateFile' | 'keyFile' | 'caFile'>
  /** The value of `ocsp`, as `{ mode: must }`; absent: no such key. */
  readonly ocsp?: string
  readonly storeDir?: string
  /** Further lines, as `on_start: require`. */
  readonly lines?: readonly string[]
}

/** Formats a configuration with one site, on a port that the system chooses. */
export function formatConfig({ backend, leaf, ocsp, storeDir, lines = [] }: ConfigOptions): string {
  return `listen: "127.0.0.1:0"
backend: "${backend}"
${ocsp === undefined ? '' : `ocsp: ${ocsp}\n`}${storeDir === undefined ? '' : `store_dir: "${storeDir}"\n`}${lines.map((line) => `${line}\n`).join('')}tls {
  cert_file: "${leaf.certificateFile}"
  key_file: "${leaf.keyFile}"
  ca_file: "${leaf.caFile}"
}
`
}

/** One line of the log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly subject?: string
  readonly event?: string
  readonly code?: string
  readonly [field: string]: unknown
}

export interface RunningDaemon {
  readonly program: Program
  readonly configFile: string
  /** The log so far. */
  log(): readonly LogLine[]
  /** Resolves with the first line (from `from` on) that fits; rejects with the whole log when the program ends first. */
  waitForLine(fits: RegExp | ((line: LogLine) => boolean), timeoutMs?: number, from?: number): Promise<LogLine>
  /** Resolves with the port of the first listener when the doors are open. */
  opened(timeoutMs?: number): Promise<number>
  /** Asks every responder now (SIGHUP). */
  refresh(): void
  /** Resolves with the exit code, when it has ended by itself or by `stop`. */
  exitCode(timeoutMs?: number): Promise<number | null>
  /** Ends it in order (SIGTERM) and resolves with the exit code. */
  stop(): Promise<number | null>
}

/** The built program; `npm test` builds it first, and `node tools/build.mjs` does it by itself. */
export const programFile: string = fileURLToPath(new URL('../../dist/run/cli/main.js', import.meta.url))

/** Starts `staplewright serve` on the text of a configuration; it ends with the test. */
export async function startDaemon(config: string, options: DaemonOptions = {}): Promise<RunningDaemon> {
  const directory = temporaryDirectory('daemon')
  const configFile = join(directory, 'staplewright.conf')
  await writeFile(configFile, config)
  const program = startProgram(process.execPath, [programFile, 'serve', '-c', configFile, ...(options.args ?? [])], {
    name: 'staplewright serve',
    cwd: options.cwd ?? directory,
    graceMs: 500, // when a test is over, nobody waits for open connections
    // A proxy of the machine must not stand between the daemon and the test's responder.
    env: {
      http_proxy: undefined,
      HTTP_PROXY: undefined,
      https_proxy: undefined,
      HTTPS_PROXY: undefined,
      ...options.env,
    },
  })
  let readTo = 0
  const lines: LogLine[] = []
  const log = () => {
    const text = program.stderr()
    for (let end = text.indexOf('\n', readTo); end >= 0; end = text.indexOf('\n', readTo)) {
      const line = text.slice(readTo, end)
      readTo = end + 1
      if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine)
    }
    return lines
  }

  const daemon: RunningDaemon = {
    program,
    configFile,
    log,
    async waitForLine(fits, timeoutMs = 20_000, from = 0) {
      const isIt = typeof fits === 'function' ? fits : (line: LogLine) => fits.test(line.message)
      const find = () => log().slice(from).find(isIt)
      const deadline = performance.now() + timeoutMs
      for (let line = find(); ; line = find()) {
        if (line) return line
        // Any further output is worth another look; the pattern that is waited for never comes when the program ends.
        const left = deadline - performance.now()
        const seen = program.output().length
        await program.waitFor(/\n/, Math.max(left, 1), seen).catch((error) => {
          if (!find()) throw new Error(`no such line: ${fits}\n${error.message}`)
        })
      }
    },
    async opened(timeoutMs = 20_000) {
      const { message } = await daemon.waitForLine(/^open on \S+:\d+ -> /, timeoutMs)
      return Number(/^open on \S+:(\d+) /.exec(message)?.[1])
    },
    refresh: () => program.kill('SIGHUP'),
    async exitCode(timeoutMs = 20_000) {
      const late = new Promise<never>((_, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`still running after ${timeoutMs} ms:\n${program.output()}`)),
          timeoutMs,
        )
        program.ended.then(() => clearTimeout(timer))
      })
      return (await Promise.race([program.ended, late])).code
    },
    stop() {
      program.kill('SIGTERM')
      return daemon.exitCode()
    },
  }
  return daemon
}
