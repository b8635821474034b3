import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type JournalOptions, openJournal } from '../../../src/run/journal/journal.ts'
import { createStyle } from '../../../src/run/journal/style.ts'

async function write(options: Partial<JournalOptions>, isTTY = false, environment = {}): Promise<string> {
  const stream = new PassThrough()
  const journal = await openJournal({
    format: 'text',
    level: 'info',
    stream,
    style: createStyle({ isTTY }, environment),
    now: () => new Date('2026-11-21T03:50:04Z'),
    ...options,
  })
  journal.say({ level: 'debug', text: 'a detail' })
  journal.say({
    level: 'warn',
    subject: 'server.pem',
    text: 'the responder is down\nserves on',
    fields: { code: 'ERR_FETCH_NETWORK' },
  })
  journal.close()
  return String(stream.read())
}

describe('text', () => {
  test('is one line a saying, the hour first, further lines indented', async () => {
    expect(await write({})).toBe('03:50:04 ! server.pem  the responder is down\n           serves on\n')
  })

  test('says details when asked to', async () => {
    expect(await write({ level: 'debug' })).toContain('a detail')
  })

  test('is coloured on a terminal, and not under NO_COLOR', async () => {
    expect(await write({}, true)).toContain('\u001b[')
    expect(await write({}, true, { NO_COLOR: '1' })).not.toContain('\u001b[')
  })
})

test('shows what would steer a terminal, and obeys none of it', async () => {
  const stream = new PassThrough()
  const journal = await openJournal({
    format: 'text',
    level: 'info',
    stream,
    style: createStyle({ isTTY: false }, {}),
    now: () => new Date('2026-11-21T03:50:04Z'),
  })
  journal.say({ level: 'info', subject: 'a\u001b[2J', text: 'b\u0007\u009b31m\r\nc\td' })
  expect(String(stream.read())).toBe('03:50:04 · a?[2J  b??31m?\n           c?d\n')
})

describe('JSON', () => {
  test('is one object a line, with the fields by name', async () => {
    const lines = (await write({ format: 'json' })).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'warn',
        time: '2026-11-21T03:50:04.000Z',
        subject: 'server.pem',
        code: 'ERR_FETCH_NETWORK',
        message: 'the responder is down\nserves on',
      },
    ])
  })
})
