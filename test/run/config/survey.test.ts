/** Keys that nobody knows, keys without effect, keys given twice. */
import { describe, expect, it } from 'vitest'
import { idleTlsKeys, idleTopKeys } from '../../../src/run/config/idle-keys.ts'
import { configuration } from '../../../src/run/config/keys.ts'
import { findNearest } from '../../../src/run/config/suggestion.ts'
import { surveyKeys } from '../../../src/run/config/survey.ts'
import { readText } from '../../kit/meaning.ts'

const survey = async (text: string) => surveyKeys(configuration, (await readText(text)).root)

describe('an unknown key', () => {
  it.each([
    ['bakend: x', 'bakend', 'did you mean backend?'],
    ['store-dir: x', 'store-dir', 'did you mean store_dir?'],
    ['tls { cert: x }', 'tls.cert', 'did you mean certs?'],
    ['tls { certfile: x }', 'tls.certfile', 'did you mean cert_file?'],
    ['tls { verfy: x }', 'tls.verfy', 'did you mean verify?'],
    ['sites [ { name: x } ]', 'sites[0].name', 'did you mean names?'],
    ['sites { name: x }', 'sites.name', 'did you mean names?'],
    ['tls { certs [ { cert_fil: x } ] }', 'tls.certs[0].cert_fil', 'did you mean cert_file?'],
    ['responders { "CN=x": { uri: y } }', 'responders.CN=x.uri', 'did you mean url?'],
    ['ocsp { on_stale: refuse }', 'ocsp.on_stale', 'on_stale stands at the top level'],
    ['cert_file: x', 'cert_file', 'cert_file stands in `tls { … }`'],
    ['names: x', 'names', 'names stands in `sites { … }`'],
    ['tls{ on', 'tls{', "put a space between a key and the '{' or '[' after it"],
    [
      'xyzzy: 1',
      'xyzzy',
      /docs\/reference\/config\.md lists all keys; a name of your own must be used somewhere as \$name/,
    ],
  ])('%s', async (text, path, hint) => {
    const { problems } = await survey(`${text}\n`)
    expect(problems).toMatchObject([
      { path, summary: 'unknown key', hint: typeof hint === 'string' ? hint : expect.stringMatching(hint) },
    ])
  })

  it('is told at the key', async () => {
    const { problems } = await survey('log {\n  nope: 1\n}\n')
    expect(problems).toMatchObject([{ line: 2, column: 3, found: '"nope" in log', expected: 'one of level, format' }])
  })

  it('may be a name of the operator that some value uses', async () => {
    expect(await survey('mine: "x.pem"\ntls { mine: y, cert_file: $mine }\nhost: $mine\n')).toMatchObject({
      problems: [],
    })
  })

  it('in jetstream is no affair of ours', async () => {
    const { problems, notices } = await survey('jetstream { max_mem: 1g, domain: x, store_dir: y }\n')
    expect(problems).toEqual([])
    expect(notices).toMatchObject([{ path: 'jetstream', message: 'jetstream: only store_dir has an effect here' }])
  })
})

describe("a key of nats-server's without effect", () => {
  it('is a notice at its place', async () => {
    const { problems, notices } = await survey('port: 1\ncluster { name: x, whatever: y }\n')
    expect(problems).toEqual([])
    expect(notices).toMatchObject([
      { line: 2, column: 1, path: 'cluster', message: 'cluster: has no effect here: nothing here listens for it' },
    ])
  })

  it('is known by its other names, in upper or lower case', async () => {
    const { problems, notices } = await survey('MAX_SUBS: 1\nws { port: 1 }\nleaf {}\n')
    expect(problems).toEqual([])
    expect(notices.map((notice) => notice.path)).toEqual(['max_subscriptions', 'websocket', 'leafnodes'])
  })
})

describe('a key without which the service would be more open', () => {
  it.each([
    ['authorization { user: a }', 'authorization'],
    ['accounts { A {} }', 'accounts'],
    ['operator: x.jwt', 'operator'],
    ['proxy_protocol: true', 'proxy_protocol'],
    ['tls { verify_and_map: true }', 'tls.verify_and_map'],
    ['tls { verify_cert_and_check_known_urls: true }', 'tls.verify_cert_and_check_known_urls'],
  ])('%s is refused', async (text, path) => {
    const { problems } = await survey(`${text}\n`)
    expect(problems).toMatchObject([
      {
        path,
        summary: expect.stringMatching(/^cannot be honoured: /),
        hint: expect.stringMatching(/danger \{ ignore|accept_proxy_protocol: \[/),
      },
    ])
  })

  it.each([
    ['verify_and_map', 'tls { verify_and_map: true }'],
    ['tls.verify_and_map', 'tls { verify_and_map: true }'],
    ['AUTHORIZATION', 'authorization { user: a }'],
    ['roots', 'operator: x.jwt'],
  ])('is a notice when danger { ignore } names %s', async (name, text) => {
    const { problems, notices } = await survey(`${text}\ndanger { ignore: ["${name}"] }\n`)
    expect(problems).toEqual([])
    expect(notices).toMatchObject([{ message: expect.stringMatching(/is ignored, as `danger \{ ignore \}` says/) }])
  })

  it.each(['tls { verify_and_map: false }', 'authorization {}', 'accounts: {}', 'proxy_protocol: false'])(
    'that asks for nothing is nothing: %s',
    async (text) => {
      expect(await survey(`${text}\n`)).toMatchObject({ problems: [], notices: [] })
    },
  )

  it('is the only kind that danger { ignore } may name', async () => {
    const { problems } = await survey('danger { ignore: [verify, authorization] }\n')
    expect(problems).toMatchObject([
      { path: 'danger.ignore', line: 1, column: 19, summary: 'verify is not a key that is refused' },
    ])
  })
})

describe('a key of a later version', () => {
  it.each([
    ['publish [ { to: x } ]', 'publish'],
    ['front { listen: 1 }', 'front'],
    ['responder { listen: 1 }', 'responder'],
    ['fleet { url: x }', 'fleet'],
  ])('%s is an error that says so', async (text, path) => {
    const { problems } = await survey(`${text}\n`)
    expect(problems).toMatchObject([
      { path, summary: 'this version does not have it yet', hint: expect.stringMatching(/./) },
    ])
  })

  it.each(['front: false', 'publish []', 'fleet {}'])(
    'that asks for what is there anyway is nothing: %s',
    async (text) => {
      expect(await survey(`${text}\n`)).toMatchObject({ problems: [], notices: [] })
    },
  )
})

describe('a key given twice', () => {
  it('is a notice at the one that counts', async () => {
    const { notices } = await survey('port: 1\nhost: x\nport: 2\n')
    expect(notices).toMatchObject([
      { line: 3, path: 'port', message: 'port: is given twice: the one in line 1 does not count' },
    ])
  })

  it('is noticed under another name and another case', async () => {
    const { notices } = await survey('PORT: 1\nport: 2\nnet: x\nhost: y\n')
    expect(notices.map((notice) => notice.path)).toEqual(['port', 'host'])
  })
})

it('no key is both at work and idle, and none has two meanings', () => {
  const block = configuration.parts?.kind === 'block' ? configuration.parts.block : { keys: [], idle: [] }
  for (const keys of [
    [...block.keys, ...idleTopKeys],
    [...keysOf('tls'), ...idleTlsKeys],
  ]) {
    const names = keys.flatMap((key) => [key.name, ...(key.aliases ?? [])])
    expect(names.length).toBeGreaterThan(15)
    expect(names).toEqual([...new Set(names)])
    expect(names).toEqual(names.map((name) => name.toLowerCase()))
  }
})

function keysOf(name: string) {
  const tls = configuration.parts?.kind === 'block' && configuration.parts.block.keys.find((key) => key.name === name)
  return tls && tls.type.parts?.kind === 'block' ? tls.type.parts.block.keys : []
}

it('the nearest word is the one with the fewest slips', () => {
  expect(findNearest('prot', ['part', 'port', 'host'])).toBe('port')
  expect(findNearest('on_revokde', ['on_revoked', 'on_stale'])).toBe('on_revoked')
  expect(findNearest('x', ['backend'])).toBeUndefined()
  expect(findNearest('', ['a'])).toBe('a')
})
