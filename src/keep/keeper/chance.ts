/** Chance without side effects: the seed goes in, a number and the next seed come out, so that step.ts is repeatable. */

/** Draws a number in [0, 1) and the seed for the next draw (the generator known as mulberry32). */
export function drawChance(seed: number): { readonly chance: number; readonly seed: number } {
  const next = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(next ^ (next >>> 15), next | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return { chance: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, seed: next }
}
