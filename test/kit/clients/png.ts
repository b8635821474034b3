/** Colours out of a PNG: as much of the format as a browser's screenshot uses (8 bits, RGB or RGBA, not interlaced). */
import { inflateSync } from 'node:zlib'

export interface Picture {
  readonly width: number
  readonly height: number
  /** The colour there as `#rrggbb`. */
  colourAt(x: number, y: number): string
}

/** Decodes a picture. @throws when it is not a PNG of that kind */
export function decodePng(bytes: Buffer): Picture {
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('not a PNG')
  const width = bytes.readUInt32BE(16)
  const height = bytes.readUInt32BE(20)
  const [depth, colourType, , , interlace] = bytes.subarray(24, 29)
  const channels = colourType === 6 ? 4 : colourType === 2 ? 3 : 0
  if (depth !== 8 || channels === 0 || interlace !== 0) throw new Error(`PNG of another kind: ${depth} ${colourType}`)

  const parts: Buffer[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  const pixels = unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  return {
    width,
    height,
    colourAt(x, y) {
      const start = (y * width + x) * channels
      return `#${pixels.subarray(start, start + 3).toString('hex')}`
    },
  }
}

/** Each row says how it was predicted from its left, upper and upper left neighbours (PNG specification, 9.2). */
function unfilter(filtered: Buffer, rowBytes: number, height: number, channels: number): Buffer {
  const pixels = Buffer.alloc(rowBytes * height)
  for (let row = 0; row < height; row++) {
    const kind = filtered[row * (rowBytes + 1)] ?? 0
    for (let i = 0; i < rowBytes; i++) {
      const at = row * rowBytes + i
      const left = i >= channels ? (pixels[at - channels] ?? 0) : 0
      const up = row > 0 ? (pixels[at - rowBytes] ?? 0) : 0
      const upLeft = row > 0 && i >= channels ? (pixels[at - rowBytes - channels] ?? 0) : 0
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, upLeft)][kind] ?? 0
      pixels[at] = ((filtered[row * (rowBytes + 1) + 1 + i] ?? 0) + predicted) & 0xff
    }
  }
  return pixels
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)]
  return a <= b && a <= c ? left : b <= c ? up : upLeft
}
