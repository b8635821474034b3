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

/**
 * Ends everything with the file from now on. For files whose tests run at the same time: there vitest cannot tell which
 * of them something was started by, and would end it with another's end.
 */
export function endWithFile(): void {
  endsWithFile = true
}

let endsWithFile = false

/** Calls `close` when the running test ends, or the test file when no test is running. */
export function endsWithTest(close: () => unknown): void {
  if (!vitest) return
  if (endsWithFile) {
    untilFileEnds.add(close)
    return
  }
  try {
    vitest.onTestFinished(async () => {
      await close()
    })
  } catch {
    untilFileEnds.add(close)
  }
}
