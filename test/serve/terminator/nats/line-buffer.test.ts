import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLineBuffer } from '../../../../src/serve/terminator/nats/line-buffer.ts'

it('gives back what was appended, in order, and is empty then', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
      const line = createLineBuffer()
      for (const piece of pieces) line.append(Buffer.from(piece))
      const whole = Buffer.concat(pieces)
      expect(line.length).toBe(whole.length)
      expect(line.take().equals(whole)).toBe(true)
      expect({ length: line.length, rest: line.take().length }).toEqual({ length: 0, rest: 0 })
    }),
  )
})

it('writes nothing into what it has given away', () => {
  const line = createLineBuffer()
  line.append(Buffer.from('first'))
  const first = line.take()
  line.append(Buffer.from('again'))
  expect(first.toString()).toBe('first')
})

it('copies what it is given, which the socket may use again', () => {
  const line = createLineBuffer()
  const chunk = Buffer.from('first')
  line.append(chunk)
  chunk.fill(0)
  expect(line.take().toString()).toBe('first')
})
