/**
 * What somebody may have meant who wrote a word that nobody knows.
 */

/** Finds the word that the fewest slips of the hand turn into `written`; undefined when none is near. */
export function findNearest(written: string, words: readonly string[]): string | undefined {
  let nearest: string | undefined
  let fewest = Math.max(1, Math.floor(written.length / 3)) + 1
  for (const word of words) {
    const slips = countSlips(written, word)
    if (slips < fewest) {
      fewest = slips
      nearest = word
    }
  }
  return nearest
}

/** The least number of letters added, left out, replaced or swapped with their neighbour. */
function countSlips(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= one.length; row++) {
    const next = [row]
    for (let column = 1; column <= other.length; column++) {
      const above = rows[row - 1] as number[]
      const isSame = one[row - 1] === other[column - 1]
      let least = Math.min(at(above, column) + 1, at(next, column - 1) + 1, at(above, column - 1) + (isSame ? 0 : 1))
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (row > 1 && column > 1 && isSwapped) least = Math.min(least, at(rows[row - 2], column - 2) + 1)
      next.push(least)
    }
    rows.push(next)
  }
  return at(rows[one.length], other.length)
}

function at(row: readonly number[] | undefined, column: number): number {
  return row?.[column] ?? 0
}
