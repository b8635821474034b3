/** `staplewright inspect` as the built program: pipes, streams, exit codes, colours, and a CRL of a size. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { programFile } from '../kit/daemon.ts'
import { runProgram } from '../kit/program.ts'
import { createScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let leaf: Leaf
let directory: string
let program: string

beforeAll(async () => {
  authority = await createAuthority()
  const responder = await createScriptedResponder({ authority })
  leaf = await authority.issueLeaf({ responderURL: responder.url })
  directory = temporaryDirectory('inspect')
  program = `"${process.execPath}" "${programFile}"`
  const fetched = await shell(`${program} fetch "${leaf.certificateFile}" > staple.der`)
  expect(fetched.code, fetched.output).toBe(0)
})

function shell(line: string, env: Readonly<Record<string, string | undefined>> = {}) {
  return runProgram('bash', ['-c', line], { cwd: directory, env: { http_proxy: undefined, ...env }, name: line })
}

test('shows a staple out of a pipe and a certificate out of another, and judges one for the other', async () => {
  const { code, stdout, stderr } = await shell(
    `cat staple.der | ${program} inspect - <(cat "${leaf.leafOnlyFile}") --issuer <(cat "${authority.intermediate.certificateFile}")`,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^OCSP response {2}standard input, \d+ bytes$/m)
  expect(stdout).toMatch(/outcome +accepted/)
  expect(stdout).toMatch(/passed +signature +RFC 6960/)
})

test('shows PEM that stands among other lines, as in what openssl s_client writes', async () => {
  const text = `CONNECTED(00000003)\n0 s:CN = localhost\n${leaf.pem}---\nServer certificate\n`
  await writeFile(join(directory, 's_client.txt'), text)
  const { code, stdout } = await shell(`${program} inspect s_client.txt`)
  expect(code).toBe(0)
  expect(stdout).toContain('CN=localhost')
})

test.each([
  ['0 for what is only shown', (): string => `inspect "${leaf.certificateFile}"`, 0],
  ['1 for what is refused', (): string => `inspect staple.der --cert "${leaf.certificateFile}" --at 2060-01-01`, 1],
  ['2 for what is nothing', (): string => 'inspect /etc/hostname', 2],
  ['2 for no files', (): string => 'inspect', 2],
])('ends with %s', async (_, words, code) => {
  const ended = await shell(`${program} ${words()}`)
  expect(ended.code, ended.output).toBe(code)
  expect(ended.output).not.toMatch(/^ {4}at /m)
})

test('writes no colours into a pipe, and colours on a terminal unless NO_COLOR or --no-color', async () => {
  const words = `inspect staple.der --cert "${leaf.certificateFile}"`
  const terminal = (line: string, env = {}) =>
    shell(`script -qec ${JSON.stringify(line)} /dev/null`, { TERM: 'xterm', ...env })
  const escape = '\u001b['
  expect((await shell(`${program} ${words}`)).stdout).not.toContain(escape)
  const line = `${program} ${words}`.replaceAll('"', "'")
  expect((await terminal(line, { NO_COLOR: undefined })).stdout).toContain(escape)
  expect((await terminal(line, { NO_COLOR: '1' })).stdout).not.toContain(escape)
  expect((await terminal(line.replace(' inspect', ' --no-color inspect'))).stdout).not.toContain(escape)
})

test('ends quietly when who reads it has seen enough', async () => {
  const { stderr, code } = await shell(`set -o pipefail; ${program} inspect "${leaf.certificateFile}" | head -1`)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
})

test('says that the disk behind standard output is full, and ends with 1', async () => {
  const { stderr, code } = await shell(`${program} inspect "${leaf.certificateFile}" > /dev/full`)
  expect({ stderr, code }).toEqual({ stderr: expect.stringContaining('standard output cannot be written'), code: 1 })
})
