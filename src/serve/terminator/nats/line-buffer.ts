/** A line that comes in pieces: grows as it must, by doubling, so that dripping bytes cost no more than their number. */
export interface LineBuffer {
  readonly length: number
  append(bytes: Buffer): void
  /** All of it; the buffer is empty afterwards. */
  take(): Buffer
}

/** Creates an empty one, which holds no memory. */
export function createLineBuffer(): LineBuffer {
  let held = nothing
  let length = 0
  return {
    get length() {
      return length
    },
    append(bytes) {
      if (held.length < length + bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(length + bytes.length, 2 * held.length))
        held.copy(larger, 0, 0, length)
        held = larger
      }
      bytes.copy(held, length)
      length += bytes.length
    },
    take() {
      const line = held.subarray(0, length)
      held = nothing
      length = 0
      return line
    },
  }
}

const nothing = Buffer.alloc(0)
