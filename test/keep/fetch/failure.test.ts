import { expect, test } from 'vitest'
import { fetchError, inExchange } from '../../../src/keep/fetch/failure.ts'

const exchanged = { method: 'GET', url: 'http://ocsp.test/\u001b[2J' }

test('a message holds nothing that would steer a terminal', () => {
  const error = fetchError('ERR_FETCH_REDIRECT', exchanged, 'redirects to ftp://x/\u009b31m\r\nred')
  expect(error.message).toBe('GET http://ocsp.test/?[2J: redirects to ftp://x/?31m??red')
  expect(inExchange(error, exchanged).message).toBe(`GET http://ocsp.test/?[2J: ${error.message}`)
})
