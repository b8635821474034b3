/**
 * Debian's real nats-server as the judge of configurations: `nats-server -t -c FILE`, many at once.
 *
 * Its errors echo what it read, which is how values are compared: `write_deadline` echoes a text, `mqtt` a number,
 * `ocsp` the kind of any value, an unknown key its place. And `System`, in this spelling, takes any value without a word
 * (the key is looked up in lower case, its value is read elsewhere): a document under it is judged by its grammar alone.
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryDirectory } from './temporary.ts'

export interface Judgement {
  readonly accepts: boolean
  /** What it printed, with the directory taken off the file names. */
  readonly output: string
}

export interface Case {
  readonly text: string | Uint8Array
  /** Further files, by relative path. */
  readonly files?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
}

let count = 0

/** Judges every document; answers in their order. */
export async function judge(cases: readonly (Case | string)[]): Promise<Judgement[]> {
  const directory = temporaryDirectory('oracle')
  const answers: Judgement[] = []
  const queue = [...cases.entries()]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, given] = next
      answers[index] = await judgeOne(
        join(directory, String(count++)),
        typeof given === 'string' ? { text: given } : given,
      )
    }
  }
  await Promise.all([work(), work(), work()])
  return answers
}

async function judgeOne(directory: string, { text, files = {}, environment = {} }: Case): Promise<Judgement> {
  await mkdir(directory)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  const file = join(directory, 'test.conf')
  await writeFile(file, text)
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...environment }, timeout: 10_000 }
    execFile('nats-server', ['-t', '-c', file], options, (error, stdout, stderr) => {
      if (error && (error.killed || typeof error.code !== 'number')) return reject(error)
      resolve({ accepts: error === null, output: `${stdout}${stderr}`.replaceAll(`${directory}/`, '') })
    })
  })
}

/** Whether the document is one by its grammar: nats-server read it to the end, and at most does not know some keys. */
export function isGrammatical({ accepts, output }: Judgement): boolean {
  return (
    accepts ||
    output
      .trim()
      .split('\n')
      .every((line) => /unknown field/.test(line))
  )
}

/** The text that an error about a duration quotes, as Go quotes it. */
export function echoedText({ output }: Judgement): string | undefined {
  const quoted = /(?:duration|in duration) ("(?:[^"\\]|\\.)*")\n/.exec(output)?.[1]
  return quoted === undefined ? undefined : unquoteGo(quoted)
}

/** The number that an error about mqtt's max_ack_pending names. */
export function echoedNumber({ output }: Judgement): bigint | undefined {
  const number = /invalid value (-?\d+), should/.exec(output)?.[1]
  return number === undefined ? undefined : BigInt(number)
}

/** Go's strconv.Quote, back. */
function unquoteGo(quoted: string): string {
  const bytes: number[] = []
  const encoder = new TextEncoder()
  const pattern = /\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\(.)|([\s\S])/gu
  const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }
  for (const [, byte, unit, escape, character] of quoted.slice(1, -1).matchAll(pattern)) {
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16))
    else if (unit !== undefined) bytes.push(...encoder.encode(String.fromCharCode(Number.parseInt(unit, 16))))
    else if (escape !== undefined) bytes.push(...encoder.encode(plain[escape] ?? escape))
    else bytes.push(...encoder.encode(character))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}
