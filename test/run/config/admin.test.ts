/** Where the daemon can be asked about itself. */
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority } from '../../kit/authority.ts'
import { loadText, problemsOf, type TextOptions } from '../../kit/configuration.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let rest: string
beforeAll(async () => {
  const leaf = await (await createAuthority()).issueLeaf()
  rest = `backend: "tcp://127.0.0.1:1"\ntls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" }\n`
})
const adminOf = async (text: string, options: TextOptions = {}) => (await loadText(text + rest, options)).settings.admin

describe('the HTTP port', () => {
  it.each([
    ['http: "10.0.0.1:8222"', { host: '10.0.0.1', port: 8222 }],
    ['http: ":8222"', { host: '127.0.0.1', port: 8222 }],
    ['http: 8222', { host: '127.0.0.1', port: 8222 }],
    ['http_port: 8222', { host: '127.0.0.1', port: 8222 }],
    ['monitor_port: -1', { host: '127.0.0.1', port: 0 }],
    ['http_port: 0', undefined],
    ['', undefined],
  ])('%s', async (text, http) => {
    expect((await adminOf(`${text}\n`)).http).toEqual(http)
  })

  it('is that of http where both are given, with a notice', async () => {
    const { settings, notices } = await loadText(`http: 1\nhttp_port: 2\n${rest}`)
    expect(settings.admin.http).toEqual({ host: '127.0.0.1', port: 1 })
    expect(notices).toMatchObject([{ line: 2, path: 'http_port' }])
  })

  it.each([
    ['http: "localhost"', 'http', 'write "localhost:4222", with the port you mean'],
    ['http: "http://127.0.0.1:8222"', 'http', 'write host and port alone, without http://'],
    ['http: 70000', 'http', 'ports are 1 to 65535'],
    ['http_port: 70000', 'http_port', 'ports are 1 to 65535'],
    ['http_port: -2', 'http_port', 'ports are 1 to 65535'],
    ['http_port: "8222"', 'http_port', 'write a number, without quotes'],
  ])('%s is refused', async (text, path, hint) => {
    expect(await problemsOf(`${text}\n${rest}`)).toMatchObject([{ path, line: 1, hint }])
  })

  it('cannot be an address of the front', async () => {
    expect(await problemsOf(`http: "127.0.0.1:8443"\nlisten: "127.0.0.1:8443"\n${rest}`)).toMatchObject([
      { path: 'http', line: 1, column: 7, summary: 'is an address of `listen` too' },
    ])
  })
})

describe('the control socket', () => {
  it('lies in the store directory', async () => {
    const workingDirectory = temporaryDirectory('socket')
    expect(await adminOf('store_dir: data\n', { workingDirectory })).toEqual({
      socket: join(workingDirectory, 'data/staplewright.sock'),
    })
  })

  it('has a name made of the configuration where there is no store directory, whatever the options say', async () => {
    const runtime = process.getuid?.() === 0 ? '/run' : '/run/user/7'
    const options = { workingDirectory: temporaryDirectory('socket'), environment: { XDG_RUNTIME_DIR: '/run/user/7' } }
    const { socket } = await adminOf('', options)
    expect(socket).toMatch(new RegExp(`^${runtime}/staplewright/[0-9a-f]{12}\\.sock$`))
    expect(await adminOf('listen: 8443\n', { ...options, listen: '127.0.0.1:0' })).toEqual({ socket })
    const elsewhere = { ...options, workingDirectory: temporaryDirectory('socket') }
    expect(await adminOf('', elsewhere)).not.toEqual({ socket })
  })

  it('does not lie in a store directory whose path is too long for a socket', async () => {
    const { socket } = await adminOf(`store_dir: "/tmp/${'x'.repeat(90)}"\n`)
    expect(socket).not.toMatch(/xxx/)
    expect((await adminOf(`store_dir: "/tmp/${'x'.repeat(84)}"\n`)).socket).toHaveLength(107)
  })

  it('may be named', async () => {
    const workingDirectory = temporaryDirectory('socket')
    const { socket } = await adminOf('control_socket: "c.sock"\nstore_dir: data\n', { workingDirectory })
    expect(socket).toBe(join(workingDirectory, 'c.sock'))
  })

  it.each([
    [`"/tmp/${'x'.repeat(103)}"`, 'is too long for the path of a Unix socket', /: 108 bytes$/],
    ['5', 'not a text', /^the number 5$/],
    ['""', 'empty', /^an empty text$/],
  ])('%s is refused', async (written, summary, found) => {
    expect(await problemsOf(`control_socket: ${written}\n${rest}`)).toMatchObject([
      { path: 'control_socket', line: 1, summary, found: expect.stringMatching(found) },
    ])
  })
})
