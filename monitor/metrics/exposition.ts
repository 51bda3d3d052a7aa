import type { Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'
import type { Labels, Metric, Sample } from './metric.js'
import { metrics } from './table.js'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** All metrics in Prometheus' text format; one of which no file says anything is left out. Pure. */
export function exposition(seen: Observation, health: Health): { contentType: string; text: string } {
  const blocks = metrics.flatMap(metric => {
    const lines = samplesOf(metric.read(seen, health)).flatMap(sample => linesOf(metric.name, sample))
    if (lines.length === 0) return []
    const { name, help, type } = metric
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
  })
  return { contentType: CONTENT_TYPE, text: `${blocks.join('\n')}\n` }
}

function samplesOf(samples: ReturnType<Metric['read']>): readonly Sample[] {
  return typeof samples === 'object' ? samples : [[{}, samples]]
}

function linesOf(name: string, [labels, value]: Sample): string[] {
  if (value === undefined) return []
  if (typeof value === 'number') return [`${name}${labelsText(labels)} ${value}`]
  const { sum, buckets } = value
  const bounds = Object.entries(buckets)
    .sort(byBound)
    .map(([le, count]) => `${name}_bucket${labelsText({ ...labels, le })} ${count}`)
  return [
    ...bounds,
    `${name}_sum${labelsText(labels)} ${sum}`,
    `${name}_count${labelsText(labels)} ${buckets['+Inf'] ?? 0}`,
  ]
}

/** As the format wants them; an object puts whole numbers before all others. */
const byBound = ([a]: [string, number], [b]: [string, number]) => boundOf(a) - boundOf(b)
const boundOf = (le: string) => (le === '+Inf' ? Number.MAX_VALUE : Number(le))

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function labelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(
    ([label, value]) => `${label}="${value.replace(/[\\"\n]/g, sign => ESCAPES[sign] ?? sign)}"`,
  )
  return texts.length === 0 ? '' : `{${texts.join(',')}}`
}
