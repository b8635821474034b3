/**
 * Ends what a test started when that test ends: programs, servers, directories.
 *
 * Started inside a test: ended after it. Started in a hook or at the top of the file: ended after the file. Outside vitest
 * (benches, tools) the caller ends it; nothing here keeps a process alive.
 */

const vitest = process.env.VITEST ? await import('vitest') : undefined
const untilFileEnds = new Set<() => unknown>()

vitest?.afterAll(async () => {
  const closes = [...untilFileEnds]
  untilFileEnds.clear()
  await Promise.all(closes.map((close) => close()))
})

/** Calls `close` when the running test ends, or the test file when no test is running. */
export function endsWithTest(close: () => unknown): void {
  if (!vitest) return
  try {
    vitest.onTestFinished(async () => {
      await close()
    })
  } catch {
    untilFileEnds.add(close)
  }
}
