/** What is said of a text that is not in the format, and where. What the format is: oracle.test.ts. */
import { describe, expect, it } from 'vitest'
import { decodeText, isProblem, maxDepth, parseText } from '../../../src/run/config/parse.ts'

describe('a text that is not in the format is told with its place', () => {
  it.each([
    ['a map that is not closed', 'a: 1\ntls {\n  b: 2\n', 4, 1, /ends inside the map or list that begins in line 2/],
    ['a list that is not closed', 'a: [\n1,\n', 3, 1, /ends inside the map or list that begins in line 1/],
    ['the innermost of two maps that are not closed', 'a {\n b {\n c: 1\n', 4, 1, /begins in line 2/],
    ['a quote that is not closed', "a: 1\nb: 'x\n", 2, 4, /quote is not closed/],
    ['a double quote that is not closed', 'a: "x\n', 1, 4, /quote is not closed/],
    ['an escape that does not exist', 'a: "x\\qy"', 1, 6, /'\\q' is no escape/],
    ['text after a value', 'a: one two', 1, 8, /expected the end of the line, ',' or ';'/],
    ['two values in a list without a comma', 'a: [one two]', 1, 9, /expected ',' or a new line/],
    ['a comma too many in a list', 'a: [one,, two]', 1, 9, /a value is expected before this ','/],
    ['a comma too many in a map', 'a { b: 1,, c: 2 }', 1, 10, /expected a key or '}'/],
    ['a key without a value', 'a: 1\nb\n', 2, 2, /the key has no value/],
    ['a key without a value in a map', 'a { b }', 1, 6, /the key has no value/],
    ['a value on the next line', 'a:\n 1\n', 1, 2, /value is expected on this line/],
    ['a separator without a key', '= 1', 1, 1, /expected a key/],
    ['a number that ends with its point', 'a: 1.\n', 1, 4, /digit is expected after the '\.'/],
    ['a number that begins with its point', 'a: .5\n', 1, 4, /a number begins with a digit/],
    ['a minus alone', 'a: -x\n', 1, 4, /digit is expected after '-'/],
    ['half a date', 'a: 2024-01-01\n', 1, 4, /a date is written 2006-01-02T15:04:05Z/],
    ['a date that does not exist', 'a: 2023-02-29T00:00:00Z\n', 1, 4, /not a date that exists/],
    ['a number of more than 64 bits', 'a: 9eib\n', 1, 4, /'9eib' does not fit into 64 bits/],
    ['a size unit that does not exist', 'a: 1kbib\n', 1, 4, /no known size unit/],
    ['a block of text that is not closed', 'a: (\nx\n', 1, 4, /not closed by a '\)'/],
    ['an include without a path', 'include\n', 1, 8, /path of the file to include/],
    ['a NUL byte', 'a: 1\nb: \0', 2, 4, /NUL byte/],
    ['bytes that are not UTF-8', 'a: "\\xff"', 1, 4, /not UTF-8/],
  ])('%s', (_, text, line, column, summary) => {
    expect(problem(text)).toMatchObject({
      file: '/x.conf',
      line,
      column,
      path: '',
      summary: expect.stringMatching(summary),
    })
  })
})

it('says what was found there', () => {
  expect(problem('a: one two # c')).toMatchObject({
    found: '"two # c"',
    hint: expect.stringMatching(/put quotes around text with spaces/),
  })
  expect(problem('a: [\n')).toMatchObject({ found: 'the end of the file', expected: "its closing '}' or ']'" })
})

it.each(['tls{ cert_file: x }', 'port: 1\ntls{\n  cert_file: x\n}\n', 'a { b: 1\n tls{ c: x } }'])(
  'says that a key and its brace are glued together: %s',
  (text) => {
    expect(problem(text)).toMatchObject({ hint: "put a space between the key and its '{'" })
  },
)

it('gives the place in a file that is not UTF-8', () => {
  const bytes = Buffer.concat([Buffer.from('a: 1\nb: "é\uFFFD'), Buffer.from([0xff]), Buffer.from('"\n')])
  expect(decodeText(bytes, '/x.conf')).toMatchObject({ line: 2, column: 7, summary: 'the file is not UTF-8' })
})

it('refuses maps and lists that are nested too deeply, and allows as many as the limit', () => {
  const nested = (depth: number) => `a: ${'['.repeat(depth)}1 ${']'.repeat(depth)}\n`
  expect(problem(nested(maxDepth + 1))).toMatchObject({ summary: `nested deeper than ${maxDepth} levels` })
  expect(isProblem(parseText(nested(maxDepth), '/x.conf'))).toBe(false)
})

it('takes time in proportion to the text', () => {
  const measure = (lines: number) => {
    const text = 'key: [1.5, "two", three, { four: 5kb }]\n'.repeat(lines)
    const started = performance.now()
    expect(isProblem(parseText(text, '/x.conf'))).toBe(false)
    return performance.now() - started
  }
  measure(500)
  const [short, long] = [measure(500), measure(5_000)]
  expect(long / short).toBeLessThan(40)
})

it('counts columns in characters and lines by line breaks of either kind', () => {
  const parsed = parseText('é: 1, third: 2\r\n\tfourth: 3\r\n', '/x.conf')
  const places = isProblem(parsed)
    ? []
    : parsed.entries.map((entry) => entry.kind === 'entry' && [entry.key.line, entry.key.column])
  expect(places).toEqual([
    [1, 1],
    [1, 7],
    [2, 2],
  ])
})

it('keeps the source text of values', () => {
  const parsed = parseText('a: 5m, b: "x\\ty", c: [ 1, 2 ]', '/x.conf')
  const sources = isProblem(parsed) ? [] : parsed.entries.map((entry) => entry.kind === 'entry' && entry.value.source)
  expect(sources).toEqual(['5m', '"x\\ty"', '[ 1, 2 ]'])
})

function problem(text: string) {
  const parsed = parseText(text, '/x.conf')
  if (!isProblem(parsed)) throw new Error(`no problem in ${text}`)
  return parsed
}
