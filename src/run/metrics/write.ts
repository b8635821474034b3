/**
 * The text that Prometheus scrapes. The only file that knows `prom-client`, and loaded by the first scrape: a daemon whose
 * admin port is off never has it in memory.
 *
 * Each scrape has a registry of its own, which holds what is known now and nothing that is gone, and none of the library's
 * default metrics: those would start a timer and observe every garbage collection while the front serves.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { type MetricRow, metricTable } from './table.ts'

/** Writes samples of a table in the text format 0.0.4, each metric with its help and type. */
export async function writeSamples(
  samples: readonly NamedSample[],
  table: Readonly<Record<string, MetricRow>> = metricTable,
): Promise<string> {
  const registry = new Registry()
  const byName = new Map<string, NamedSample[]>()
  for (const sample of samples) {
    const others = byName.get(sample.name)
    if (others) others.push(sample)
    else byName.set(sample.name, [sample])
  }
  for (const [name, { type, help, labels }] of Object.entries(table)) {
    const values = byName.get(name) ?? []
    // A metric without labels stands at 0 once it is made, which would be said of a moment that never was.
    if (values.length === 0 && labels.length === 0) continue
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const metric = type === 'gauge' ? new Gauge(options) : new Counter(options)
    for (const { labels, value } of values) metric.inc(labels, value)
  }
  return await registry.metrics()
}

/** A value of any table. */
interface NamedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export const contentType: string = Registry.PROMETHEUS_CONTENT_TYPE
