import { plainTable } from '../plain-table.js'
import { machine, spread } from '../machine.js'
import { recordedDelays, type Delays } from './delays.js'
import type { Shape } from './frames.js'
import {
  count,
  keepCompacting,
  newRecording,
  record,
  stampOnly,
  type Recorded,
  type RecordOptions,
} from './processes.js'

const ORDINARY_RATE = 2000
const RATES = [200, ORDINARY_RATE, 20_000]
const SPEEDS: { shape: Shape; pinned: boolean; goal: number }[] = [
  { shape: '300 B', pinned: false, goal: 0.5 },
  { shape: '300 B', pinned: true, goal: 0.35 },
  { shape: 'mix', pinned: false, goal: 0.5 },
  { shape: 'mix', pinned: true, goal: 0.35 },
]
/** What the compactor has to do, again and again: little enough that passes end while stamps are measured. */
const BACKLOG = { framesPerSecond: 2000, seconds: 2 }

export interface BenchOptions {
  rounds: number
  /** Of each measurement. */
  seconds: number
  /** How long a recorder runs at a steady rate before it is measured, seconds: V8 compiles late what runs seldom. */
  warmUp: number
  /** Little of everything. */
  quick?: boolean
}

/** Frames a second against a client that only counts, what ordinary rates cost, and how late stamps are. */
export async function benchRecorder(options: BenchOptions): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`)
  say(`recorder: ${options.rounds} rounds of ${options.seconds} s each; middle (lowest to highest)`)
  say(machine())
  say(await speeds(options))
  say(await costs(options))
  if (!options.quick) say(await stampDelays(options))
}

/** Runs a measurement once a round, in a recording of its own. */
async function rounds<T>(times: number, measure: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let round = 0; round < times; round++) results.push(await measure())
  return results
}

async function recordAlone(options: Omit<RecordOptions, 'recording' | 'seal'>): Promise<Recorded> {
  const recording = newRecording()
  const recorded = await record({ recording, seal: false, ...options })
  recording.remove()
  return recorded
}

async function speeds({ rounds: times, seconds, quick = false }: BenchOptions): Promise<string> {
  const table = plainTable(['as fast as it goes', 'counted/s', 'recorded/s', 'ratio', 'goal', ''])
  for (const { shape, pinned, goal } of quick ? SPEEDS.filter(({ pinned }) => !pinned) : SPEEDS) {
    const results = await rounds(times, async () => ({
      counted: await count(shape, pinned, seconds),
      recorded: (await recordAlone({ shape, pinned, framesPerSecond: 0, seconds })).framesPerSecond,
    }))
    const ratio = spread(
      results.map(({ counted, recorded }) => recorded / counted),
      2,
    )
    table.push([
      `${shape}, ${pinned ? 'pinned to one core' : 'both cores'}`,
      spread(
        results.map(result => result.counted),
        0,
      ).text,
      spread(
        results.map(result => result.recorded),
        0,
      ).text,
      ratio.text,
      `>= ${goal.toFixed(2)}`,
      verdict(ratio.middle >= goal),
    ])
  }
  return table.toString()
}

async function costs({ rounds: times, seconds, warmUp, quick = false }: BenchOptions): Promise<string> {
  const table = plainTable([
    'at a steady rate, mix',
    'recorded/s',
    'CPU of one core, %',
    'resident, MiB',
    'at its peak',
    'goal',
    '',
  ])
  for (const rate of quick ? [ORDINARY_RATE] : RATES) {
    const options = { shape: 'mix', pinned: false, framesPerSecond: rate, seconds, warmUp } as const
    const results = await rounds(times, () => recordAlone(options))
    const cpu = spread(
      results.map(result => result.cpuPercent),
      1,
    )
    const resident = spread(
      results.map(result => result.residentMiB),
      0,
    )
    const peak = spread(
      results.map(result => result.peakMiB),
      0,
    )
    const hasGoal = rate === ORDINARY_RATE
    table.push([
      `${rate.toLocaleString('en')} frames/s`,
      spread(
        results.map(result => result.framesPerSecond),
        0,
      ).text,
      cpu.text,
      resident.text,
      peak.text,
      hasGoal ? '<= 5 %, <= 86 MiB (90 MB)' : '',
      hasGoal ? verdict(cpu.middle <= 5 && resident.middle <= 86) : '',
    ])
  }
  return table.toString()
}

async function stampDelays({ rounds: times, seconds, warmUp }: BenchOptions): Promise<string> {
  const table = plainTable(['stamp delay at 2,000/s, ms', 'frames', 'p50', 'p99', 'p99.9', 'goal', ''])
  const yardstick = await rounds(times, () => stampOnly(ORDINARY_RATE, 2 * seconds))
  table.push(['a client that only stamps', ...columnsOf(yardstick), '', ''])
  for (const compacting of [false, true]) {
    const results = await rounds(times, () => delaysOnce(compacting, seconds, warmUp))
    const isMet = middle(results, 'p99Ms') <= 1 && middle(results, 'p999Ms') <= 10
    const label = compacting
      ? `recorder, compactor at work (${results.map(result => result.passes).join(', ')} passes ended)`
      : 'recorder, compactor idle'
    table.push([label, ...columnsOf(results), 'p99 <= 1, p99.9 <= 10', verdict(isMet)])
  }
  return table.toString()
}

const middle = (results: Delays[], of: keyof Delays) =>
  spread(
    results.map(result => result[of]),
    2,
  ).middle

const columnsOf = (results: Delays[]) =>
  [['frames', 0] as const, ['p50Ms', 2] as const, ['p99Ms', 2] as const, ['p999Ms', 2] as const].map(
    ([of, digits]) =>
      spread(
        results.map(result => result[of]),
        digits,
      ).text,
  )

async function delaysOnce(compacting: boolean, seconds: number, warmUp: number): Promise<Delays & { passes: number }> {
  const recording = newRecording()
  const options = { recording, shape: 'mix', pinned: false, warmUp, seal: true } as const
  if (compacting) await record({ ...options, ...BACKLOG })
  const compactor = compacting ? keepCompacting(recording) : undefined
  const { fromUs } = await record({ ...options, framesPerSecond: ORDINARY_RATE, seconds: 2 * seconds })
  const passes = (await compactor?.stop()) ?? 0
  const delays = recordedDelays(recording.dataDir, fromUs)
  recording.remove()
  return { ...delays, passes }
}

const verdict = (met: boolean) => (met ? 'met' : 'NOT met')
