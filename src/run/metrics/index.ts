/**
 * Numbers for Prometheus: events are counted as they come (tally.ts); states are asked for when somebody scrapes
 * (sample.ts) and written by the library (write.ts). table.ts has every metric.
 */
import type { Measured } from './measured.ts'
import { readProcessUsage } from './process-usage.ts'
import { takeSamples } from './sample.ts'
import { type CountedEvent, createTally } from './tally.ts'

export type { FrontCount, Measured, MeasuredStaple } from './measured.ts'
export { type MetricName, type MetricRow, metricTable } from './table.ts'
export type { CountedEvent } from './tally.ts'

export interface Metrics {
  /** Counts an event of the keeper, of a front, or a reload that has ended. Does nothing else, and never throws. */
  record(event: CountedEvent): void
  /** The text of one scrape. */
  scrape(measured: Measured): Promise<{ readonly contentType: string; readonly text: string }>
}

/** Creates metrics with nothing counted. */
export function createMetrics(): Metrics {
  const tally = createTally()
  return {
    record: tally.record,
    async scrape(measured) {
      const [{ contentType, writeSamples }, usage] = await Promise.all([import('./write.ts'), readProcessUsage()])
      tally.retain(measured.staples)
      return { contentType, text: await writeSamples(takeSamples(measured, tally, usage)) }
    },
  }
}
