// Medians and paired ratios. Samples of one round stand beside each other at the same index, so a
// machine that is slow for a while slows both sides of a ratio.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Summarise samples as median, smallest and largest. */
export function summarise(numbers) {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers), count: numbers.length }
}

/** About how far a median of these would lie from that of endless rounds (one standard error), were they independent. */
function medianError(numbers) {
  const centre = median(numbers)
  const variance = numbers.reduce((sum, number) => sum + (number - centre) ** 2, 0) / Math.max(1, numbers.length - 1)
  return 1.2533 * Math.sqrt(variance / numbers.length)
}

/** Ratio of two cells, round by round, summarised. */
export function pairedRatio(numerators, denominators) {
  const ratios = numerators.map((numerator, round) => numerator / denominators[round])
  return { ...summarise(ratios), error: medianError(ratios) }
}
