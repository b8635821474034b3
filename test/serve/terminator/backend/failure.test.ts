import { expect, it } from 'vitest'
import { describeFailure, describeFailures, isOwnLack } from '../../../../src/serve/terminator/backend/failure.ts'

const failed = (code: string, message: string, more: object = {}) =>
  describeFailure('tcp://10.0.0.7:80', Object.assign(new Error(message), { code, ...more }))

it.each([
  ['EMFILE', /this process is out of file descriptors: .*\(raise the limit of open files/],
  ['ENFILE', /as is the whole machine/],
  ['ENOBUFS', /out of memory for sockets: .*\(lower max_connections/],
])('%s is this process’s own lack, and not said of the backend', (code, words) => {
  const error = failed(code, `connect ${code} 10.0.0.7:80`)
  expect(isOwnLack(code)).toBe(true)
  expect(error.message).toMatch(words)
  expect(error.message).not.toContain('could not be reached')
  expect(error.detail).toMatchObject({ backend: 'tcp://10.0.0.7:80', networkCode: code })
})

it('a plain failure is what Node says, without a hint', () => {
  expect(isOwnLack('ECONNREFUSED')).toBe(false)
  expect(isOwnLack(undefined)).toBe(false)
  expect(failed('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.7:80')).toMatchObject({
    code: 'ERR_TERMINATOR_BACKEND',
    message: 'backend tcp://10.0.0.7:80 could not be reached: connect ECONNREFUSED 10.0.0.7:80',
    detail: { backend: 'tcp://10.0.0.7:80', networkCode: 'ECONNREFUSED' },
  })
})

it('without a message the code is said, as for a name with several addresses', () => {
  expect(failed('ECONNREFUSED', '').message).toBe('backend tcp://10.0.0.7:80 could not be reached: ECONNREFUSED')
})

it('what OpenSSL says is one line, in words', () => {
  const raw = '80BC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/x.c:355:\n'
  for (const error of [
    failed('EPROTO', raw),
    failed('ERR_SSL_WRONG_VERSION_NUMBER', raw, { reason: 'wrong version number' }),
  ]) {
    expect(error.message).toMatch(/could not be reached: wrong version number \(tls:\/\/ is for a backend/)
    expect(error.message).not.toContain('\n')
  }
})

it('several failures are one, with all messages and causes; one alone is itself', () => {
  const one = failed('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.7:80')
  const other = failed('EMFILE', 'connect EMFILE 10.0.0.7:80')
  expect(describeFailures('a, b', [one])).toBe(one)
  const all = describeFailures('a, b', [one, other])
  expect(all.detail).toMatchObject({ backend: 'a, b', networkCode: 'ECONNREFUSED' })
  expect(all.message).toContain(one.message)
  expect(all.message).toContain(other.message)
  expect((all.cause as AggregateError).errors).toEqual([one, other])
})
