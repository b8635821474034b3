/** Reads the text format that Prometheus scrapes, strictly: a line that is not in it throws. */

export interface ScrapedMetric {
  readonly type: string
  readonly help: string
  readonly series: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** Parses a scrape; metrics by name, in their order. */
export function parseScrape(text: string): ReadonlyMap<string, ScrapedMetric> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const metrics = new Map<string, { type: string; help: string; series: ScrapedMetric['series'][number][] }>()
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line)
    if (comment) {
      const [, what, name = '', rest = ''] = comment
      const metric = metrics.get(name) ?? { type: '', help: '', series: [] }
      metrics.set(name, metric)
      if (what === 'HELP') metric.help = rest
      else metric.type = rest
      continue
    }
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    const metric = found && metrics.get(found[1] ?? '')
    if (!found || !metric?.type) throw new Error(`not a sample of a metric told before: ${line}`)
    const identity = `${found[1]}{${found[2]}}`
    if (seen.has(identity)) throw new Error(`told twice: ${identity}`)
    seen.add(identity)
    const value = Number(found[3])
    if (Number.isNaN(value) && found[3] !== 'NaN') throw new Error(`not a number: ${line}`)
    metric.series.push({ labels: parseLabels(found[2] ?? ''), value })
  }
  return metrics
}

/** The value of one series; undefined when there is none with exactly these labels. */
export function valueOf(
  metrics: ReadonlyMap<string, ScrapedMetric>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const key = (each: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(each).sort())
  return metrics.get(name)?.series.find((each) => key(each.labels) === key(labels))?.value
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  const one = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
  while (one.lastIndex < text.length) {
    const at = one.lastIndex
    const found = one.exec(text)
    if (!found) throw new Error(`not labels: ${text.slice(at)}`)
    const [, name = '', value = ''] = found
    labels[name] = value.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}
