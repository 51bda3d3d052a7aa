import { readFile } from 'node:fs/promises'
import { parsedJson } from '../../platform/json-object.js'
import { z } from '../../platform/zod.js'
import { hasErrno } from '../../platform/edge-error.js'
import { statePath } from '../../formats/status.js'
import { UnhurriedFile } from '../../platform/unhurried-file.js'
import type { Observation } from '../observe/observation.js'

/** What the page draws: the last quarter of an hour of some values, and between what the rates usually are. */
export interface Past {
  /** Time between two values, ms. */
  stepMs: number
  /** Time of the last value, ms since the epoch. */
  atMs: number
  /** By what it is of, such as `rate EXCHANGE FAMILY`: oldest first, the last at `atMs`; null: not known. */
  series: Record<string, (number | null)[]>
  /** Of rates: nine of ten values of the last day lie between, with as many below as above. */
  usual: Record<string, [low: number, high: number]>
}

const STEP_MS = 5000
const STEPS = 180
/** A feed may have many families: what was seen first is kept. */
const SERIES_MAX = 160
/** The day is kept in means of so many steps, … */
const STEPS_OF_MEAN = 60
const MEANS = 288
/** … and says what is usual once it is an hour long. */
const MEANS_MIN = 12
const USUAL_FROM = 0.05
const RATE = 'rate '

const values = z.record(z.string(), z.array(z.number().nullable()))
const kept = z.object({ at_ms: z.number(), steps: z.number(), series: values, means: values })

/** Keeps a bounded past of what is seen; it outlives the process in `state/monitor-history.json`. */
export class History {
  readonly #series = new Map<string, (number | null)[]>()
  readonly #means = new Map<string, (number | null)[]>()
  readonly #file: UnhurriedFile
  readonly #path: string
  /** Steps noted since the last means. */
  #steps = 0
  #atMs = -Infinity

  constructor(dataDir: string) {
    this.#path = statePath(dataDir, 'monitor-history')
    this.#file = new UnhurriedFile(this.#path)
  }

  /** Takes up what an earlier process kept; where it cannot be read, all begins anew. */
  async load(nowMs: number): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return ''
      throw error
    })
    const found = kept.safeParse(parsedJson(text)).data
    if (!found || found.at_ms > nowMs) return
    for (const [key, values] of Object.entries(found.series)) this.#series.set(key, values.slice(-STEPS))
    for (const [key, values] of Object.entries(found.means)) this.#means.set(key, values.slice(-MEANS))
    this.#atMs = found.at_ms
    this.#steps = found.steps
    // Of the time between nothing is known.
    const missed = Math.floor((nowMs - found.at_ms) / STEP_MS) - 1
    for (let step = 0; step < Math.min(missed, STEPS); step++) push(this.#series, new Map(), STEPS)
    for (let mean = 0; mean < Math.min(missed / STEPS_OF_MEAN - 1, MEANS); mean++) push(this.#means, new Map(), MEANS)
  }

  /** Takes an observation when a step is over. */
  note(seen: Observation): void {
    if (seen.atMs - this.#atMs < STEP_MS && seen.atMs >= this.#atMs) return
    this.#atMs = seen.atMs
    push(this.#series, valuesOf(seen), STEPS)
    if (++this.#steps < STEPS_OF_MEAN) return
    this.#steps = 0
    const rates = [...this.#series].filter(([key]) => key.startsWith(RATE))
    push(this.#means, new Map(rates.map(([key, rates]) => [key, meanOf(rates.slice(-STEPS_OF_MEAN))])), MEANS)
  }

  /** @throws errors of the disk */
  async save(): Promise<void> {
    if (!this.#file.isBusy) await this.#file.write(this.#text())
  }

  /**
   * For the end of the process.
   * @throws errors of the disk
   */
  async saveLast(withinMs: number): Promise<void> {
    await this.#file.writeLast(this.#text(), withinMs)
  }

  all(): Past {
    const usual = [...this.#means].flatMap(([key, means]) => {
      const known = means.flatMap(mean => mean ?? []).sort((a, b) => a - b)
      const low = known[Math.floor(USUAL_FROM * known.length)]
      const high = known[Math.ceil((1 - USUAL_FROM) * known.length) - 1]
      return known.length < MEANS_MIN || low === undefined || high === undefined ? [] : [[key, [low, high]] as const]
    })
    const series = Object.fromEntries(this.#series)
    return { stepMs: STEP_MS, atMs: this.#atMs, series, usual: Object.fromEntries(usual) as Past['usual'] }
  }

  #text(): string {
    const [series, means] = [Object.fromEntries(this.#series), Object.fromEntries(this.#means)]
    return JSON.stringify({ at_ms: this.#atMs, steps: this.#steps, series, means })
  }
}

/** Adds a value to each series; one that is new was not known before. */
function push(all: Map<string, (number | null)[]>, now: ReadonlyMap<string, number | null>, max: number): void {
  const length = [...all.values()][0]?.length ?? 0
  for (const key of now.keys())
    if (!all.has(key) && all.size < SERIES_MAX)
      all.set(
        key,
        Array.from({ length }, () => null),
      )
  for (const [key, values] of all) {
    values.push(now.get(key) ?? null)
    if (values.length > max) values.shift()
    if (values.every(value => value === null)) all.delete(key)
  }
}

/** What is drawn of a moment. */
function valuesOf({ exchanges, families }: Observation): Map<string, number> {
  const rates = families.flatMap(({ exchange, family, isStreamed, framesPerSecond }) =>
    isStreamed ? [[`${RATE}${exchange} ${family}`, framesPerSecond] as const] : [],
  )
  const others = exchanges.flatMap(({ exchange, lagMs, offsetMs, shown }) => [
    [`lag ${exchange}`, lagMs] as const,
    [`offset ${exchange}`, offsetMs] as const,
    ...shown.flatMap(({ name, ...values }) =>
      (['price', 'spread', 'iv'] as const).map(what => [`${what} ${exchange} ${name}`, values[what]] as const),
    ),
  ])
  const known = [...others, ...rates].flatMap(([key, value]) =>
    value === undefined ? [] : [[key, Number(value.toPrecision(7))] as const],
  )
  return new Map(known)
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.flatMap(value => value ?? [])
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
