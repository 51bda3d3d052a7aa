import { Counter, Gauge, Registry } from 'prom-client'
import type { Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'
import type { Metric, Sample } from './metric.js'
import { metrics } from './table.js'

/** All metrics as Prometheus reads them; one of which no file tells anything is left out. */
export async function exposition(seen: Observation, health: Health): Promise<{ contentType: string; text: string }> {
  const registry = new Registry()
  for (const { name, help, type, labels, read } of metrics) {
    const samples = samplesOf(read(seen, health)).filter(([, value]) => value !== undefined)
    if (samples.length === 0) continue
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    for (const [of, value] of samples) metric.inc(of, value)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

function samplesOf(samples: ReturnType<Metric['read']>): readonly Sample[] {
  return typeof samples === 'object' ? samples : [[{}, samples]]
}
