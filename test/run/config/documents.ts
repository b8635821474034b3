/**
 * Random configurations, written with every freedom the format leaves, together with what they mean; and slips of the pen.
 *
 * Keys at the top are spellings of `system_account`, which nats-server accepts with any value (test/kit/nats-oracle.ts).
 */
import fc from 'fast-check'

/** A value as plain data: what a document means, without places. */
export type Meaning =
  | string
  | boolean
  | bigint
  | number
  | Date
  | readonly Meaning[]
  | { readonly [key: string]: Meaning }

export interface Written {
  readonly text: string
  readonly meaning: Meaning
}

function value(depth: number): fc.Arbitrary<Written> {
  const single = fc.oneof(singleQuoted, doubleQuoted, bare, word, integer, float, datetime, address, block)
  if (depth === 0) return single
  return fc.oneof(
    { weight: 5, arbitrary: single },
    { weight: 1, arbitrary: list(depth - 1) },
    { weight: 1, arbitrary: map(depth - 1) },
  )
}

const anyText = fc.string({ unit: fc.constantFrom(...'abz09 \t\n\r"\\{}[]()#/=:,;$.-é☃𝄞'), maxLength: 12 })

const singleQuoted = anyText.map((content): Written => ({ text: `'${content}'`, meaning: content }))

const doubleQuoted = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."abz09 \t\n{}[]()#/=:,;$.-'é☃").map((each) => [each, each] as const),
      fc.constantFrom(
        ['\\t', '\t'],
        ['\\n', '\n'],
        ['\\r', '\r'],
        ['\\"', '"'],
        ['\\\\', '\\'],
        ['\\x41', 'A'],
        ['\\xc3\\xa9', 'é'],
      ),
    ),
    { maxLength: 12 },
  )
  .map(
    (parts): Written => ({
      text: `"${parts.map(([written]) => written).join('')}"`,
      meaning: parts.map(([, meant]) => meant).join(''),
    }),
  )

const bare = fc
  .tuple(
    fc.constantFrom(...'abzA_*<é☃'),
    fc.string({ unit: fc.constantFrom(...'abz09"{[()#/=:$.-_é☃'), maxLength: 10 }),
  )
  .map(([first, rest]): Written => ({ text: first + rest, meaning: first + rest }))
  .filter(({ text }) => !/^(true|false|yes|no|on|off)$/i.test(text))

const word = fc.tuple(fc.constantFrom('true', 'yes', 'on', 'false', 'no', 'off'), fc.boolean()).map(
  ([each, isUpper]): Written => ({
    text: isUpper ? each.toUpperCase() : each,
    meaning: /^(true|yes|on)$/.test(each),
  }),
)

const integer = fc
  .tuple(
    fc.bigInt({ min: -4_000_000n, max: 4_000_000n }),
    fc.constantFrom(
      ['', 1n],
      ['k', 1000n],
      ['KB', 1024n],
      ['Ki', 1024n],
      ['m', 10n ** 6n],
      ['MiB', 2n ** 20n],
      ['g', 10n ** 9n],
      ['gb', 2n ** 30n],
      ['t', 10n ** 12n],
      ['Ti', 2n ** 40n],
    ) as fc.Arbitrary<[string, bigint]>,
  )
  .map(([number, [suffix, factor]]): Written => ({ text: `${number}${suffix}`, meaning: number * factor }))

const float = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.nat(9999))
  .map(([whole, fraction]): Written => ({ text: `${whole}.${fraction}`, meaning: Number(`${whole}.${fraction}`) }))

const datetime = fc.integer({ min: 0, max: 4_102_444_799 }).map((seconds): Written => {
  const meaning = new Date(seconds * 1000)
  return { text: meaning.toISOString().replace('.000Z', 'Z'), meaning }
})

const address = fc.tuple(fc.ipV4(), fc.option(fc.nat(65_535))).map(
  ([host, port]): Written => ({
    text: port === null ? host : `${host}:${port}`,
    meaning: port === null ? host : `${host}:${port}`,
  }),
)

const block = fc
  .array(fc.string({ unit: fc.constantFrom(...'ab "\'\\{}[]#)('), maxLength: 8 }), { maxLength: 3 })
  .map((lines): Written => {
    const content = `\n${lines
      .filter((line) => line !== ')')
      .map((line) => `${line}\n`)
      .join('')}`
    return { text: `(${content})`, meaning: content }
  })

function list(depth: number): fc.Arbitrary<Written> {
  return fc.tuple(fc.array(value(depth), { maxLength: 3 }), fc.infiniteStream(fc.nat())).map(([items, choices]) => {
    const choose = chooser(choices)
    const text = items.map((item, index) => {
      const isLast = index === items.length - 1
      const after = needsNewline(item.text)
        ? '\n'
        : isLast
          ? choose([' ', '\n', ',', ' # c\n'])
          : choose([',', ', ', ' , ', '\n', ' // c\n', ',\n # c\n'])
      return `${item.text}${after}`
    })
    return { text: `[${choose(['', ' ', '\n', '# c\n'])}${text.join('')}]`, meaning: items.map((item) => item.meaning) }
  })
}

function map(depth: number): fc.Arbitrary<Written> {
  return fc
    .tuple(
      fc.dictionary(fc.string({ unit: fc.constantFrom(...'abcxyz_-0'), minLength: 1, maxLength: 6 }), value(depth), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      fc.infiniteStream(fc.nat()),
    )
    .map(([entries, choices]) => {
      const choose = chooser(choices)
      const text = Object.entries(entries).map(([key, item]) => {
        const after = needsNewline(item.text) ? '\n' : choose([',', ';', '\n', ' # c\n', ', '])
        return `${choose([key, `"${key}"`, `'${key}'`])}${separate(choose, item.text)}${choose(['', '', ' '])}${item.text}${after}`
      })
      const meaning = Object.fromEntries(Object.entries(entries).map(([key, item]) => [key, item.meaning]))
      return { text: `{${choose(['', ' ', '\n', '# c\n'])}${text.join('')}}`, meaning }
    })
}

function needsNewline(text: string): boolean {
  return text.endsWith('\n)')
}

function separate(choose: (from: readonly string[]) => string, _text: string): string {
  return choose([': ', '=', ' = ', ' ', '\t', ' :\t', '\n: '])
}

function chooser(choices: fc.Stream<number>): (from: readonly string[]) => string {
  return (from) => from[(choices.next().value as number) % from.length] as string
}

/** One of the spellings of system_account, but not the one in lower case. */
function spellKey(mask: number): string {
  return [...'system_account']
    .map((letter, index) =>
      (mask >> (index > 6 ? index - 1 : index)) & 1 && letter !== '_' ? letter.toUpperCase() : letter,
    )
    .join('')
}

/** A whole document with what each of its keys means. */
export const documents: fc.Arbitrary<Written> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 13 - 2 }), { minLength: 0, maxLength: 4 }),
    fc.infiniteStream(fc.nat()),
    fc.array(value(3), { minLength: 4, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([spellings, choices, values, isBraced]) => {
    const choose = chooser(choices)
    const entries = spellings.map((mask, index) => [spellKey(mask), values[index] as Written] as const)
    const body = entries.map(([key, { text }]) => {
      const after = text.endsWith('\n)')
        ? '\n'
        : choose(['\n', '\r\n', ';\n', ',\n', ' # c\n', '\t// c\n', '; ', ', ', '\n\n# c\n\n'])
      return `${choose(['', ' ', '\t', '\n', '# c\n'])}${choose([key, `"${key}"`, `'${key}'`])}${separate(choose, text)}${text}${after}`
    })
    const text = isBraced ? `{ ${body.join('')} }` : body.join('')
    return { text, meaning: Object.fromEntries(entries.map(([key, { meaning }]) => [key, meaning])) }
  })

/** Documents with a few characters changed: some are still documents, most are not. */
export const mutants: fc.Arbitrary<string> = fc
  .tuple(
    documents,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('insert', 'delete', 'replace'),
        fc.constantFrom(...'{}[]()=:,;#"\'\\$.-0579aAkMx \t\n\r'),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([{ text }, edits]) =>
    edits.reduce((written, [where, kind, character]) => {
      const at = where % (written.length + 1)
      return (
        written.slice(0, at) + (kind === 'delete' ? '' : character) + written.slice(kind === 'insert' ? at : at + 1)
      )
    }, text),
  )
