import { defineConfig } from 'vitest/config'

// vitest's reporter groups failures with Map.groupBy, which Node 20 does not have: without this, a failing test on
// Node 20 is counted but not shown.
const map = Map as unknown as { groupBy?: (items: Iterable<unknown>, keyOf: (item: unknown) => unknown) => unknown }
map.groupBy ??= (items, keyOf) => {
  const groups = new Map<unknown, unknown[]>()
  for (const item of items) {
    const key = keyOf(item)
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return groups
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/kit/generate-grammar.ts',
    pool: 'forks',
    // vitest leaves a core of two idle; most tests wait for sockets and programs, so two files at a time do no harm
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxConcurrency: 16,
  },
})
