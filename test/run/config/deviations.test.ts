/** Each listed deviation from nats-server, tried against the real one. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText } from '../../kit/configuration.ts'
import { meaningOf, readText } from '../../kit/meaning.ts'
import { echoedNumber, echoedText, isGrammatical, judge } from '../../kit/nats-oracle.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { grammarDeviations, meaningDeviations } from './deviations.ts'

describe('the format', () => {
  it.each(grammarDeviations.map((deviation) => [deviation.title, deviation] as const))('%s', async (_, deviation) => {
    const directory = temporaryDirectory('absolute')
    await writeFile(join(directory, 'part.conf'), 'System: included\n')
    const text = deviation.document.replace('/etc/nats/part.conf', join(directory, 'part.conf'))

    const [answer] = await judge([text])
    if (answer === undefined) throw new Error('nats-server said nothing')
    const { natsServer, here } = deviation
    if (typeof natsServer === 'object')
      expect(echoedText(answer) ?? String(echoedNumber(answer))).toBe(natsServer.reads)
    // A byte order mark is a part of the key to nats-server: an unknown one.
    else expect(text.startsWith('\uFEFF') ? answer.accepts : isGrammatical(answer)).toBe(natsServer === 'accepts')

    const { root, problems } = await readText(text)
    if (typeof here === 'object') expect(meaningOf([...root.entries.values()][0]?.value ?? root)).toEqual(here.reads)
    else
      expect([problems.length === 0, root.entries.has('System') || here === 'refuses']).toEqual([
        here === 'accepts',
        true,
      ])
  })
})

describe('the keys', () => {
  let leaf: Leaf
  beforeAll(async () => {
    leaf = await (await createAuthority()).issueLeaf()
  })

  it.each(meaningDeviations.map((deviation) => [deviation.title, deviation] as const))('%s', async (_, deviation) => {
    const certificate = `cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}"`
    const text = deviation.document.includes('tls {')
      ? deviation.document.replace('tls {', `tls { ${certificate},`)
      : `${deviation.document}tls { ${certificate} }\n`

    const [answer] = await judge([text])
    expect(answer?.accepts).toBe(deviation.natsServer === 'accepts')

    const loading = loadText(text, { backend: 'tcp://127.0.0.1:8080' })
    if (deviation.here === 'refuses') await expect(loading).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    else expect((await loading).settings).toMatchObject(deviation.settings ?? {})
  })
})
