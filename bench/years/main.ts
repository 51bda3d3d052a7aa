import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-info.js'
import { dateOf } from '../../platform/utc-date.js'
import { machine } from '../machine.js'
import { cloneDay, DAY_MS, makeDay } from './day.js'
import { segmentsOf } from './hours.js'
import { inodesOfDay, yearOf } from './inodes.js'
import { costOf, type Cost } from './measure.js'
import { recordedFamilies, type RecordedFamily } from './recorded-families.js'

export interface YearsOptions {
  /** Numbers of days to measure at, rising; the first is what the others are compared with. */
  days: readonly number[]
  /** Hours of the day that have segments. */
  hours: number
  /** Which questions are asked; all, if it does not say. */
  only?: RegExp
  /** Without CPU and memory, each of which would take another run. */
  callsOnly?: boolean
}

/** What is asked, and how much more it may cost than with one day. */
interface Question {
  name: string
  args: readonly string[]
  goal: Goal
  /** Under strace it would take many minutes, or says nothing. */
  withoutCalls?: true
}

type Goal =
  | { cpuTimes: number; calls?: number }
  | { cpuS: number; peakMiB: number }
  /** Of what goes on: to start, and the share of a core from then on. */
  | { cpuS: number; share: number; peakMiB: number }
  /** Seconds for each day. */
  | { cpuS: number; peakMiB: number; isPerDay: true }
  | { calls: number }

/** What was written less than this ago is not marked as done by a compactor: it may change again unnoticed. */
const SETTLED_MS = 2500

/** `npm run bench years`: what each question costs on a tree of one day, and on trees of many. */
export async function benchYears(options: YearsOptions): Promise<boolean> {
  print(`\n# Years on one tree\n${machine()}\n`)
  const { questions, costs, inodes, families } = await costsOfYears(options)
  tellInodes(inodes)
  tellSegments(families)
  return told(questions, costs, options.days)
}

/** What each question costs on each of the trees, by its name. */
export async function costsOfYears({ days, hours, only = /./, callsOnly = false }: YearsOptions) {
  const scratch = mkdtempSync(join(tmpdir(), 'edgetape-years-'))
  try {
    const dataDir = join(scratch, 'box')
    const date = dateOf(Date.now() - 2 * DAY_MS)
    const families = await recordedFamilies(scratch)
    const momentMs = await makeDay(families, dataDir, date, hours)
    const inodes = inodesOfDay(dataDir, date)
    const copy = join(scratch, 'copy')
    mkdirSync(copy)
    for (const tree of ['raw', 'parquet', 'lists']) symlinkSync(join(dataDir, tree), join(copy, tree))
    const config = configAt(scratch, dataDir)
    const questions = questionsOf(copy, config, momentMs).filter(({ name }) => only.test(name))
    const costs = new Map<string, Cost[]>()
    let made = 1
    for (const count of days) {
      for (; made < count; made++) cloneDay(dataDir, date, dateOf(Date.parse(date) - made * DAY_MS))
      await markAsDone(config)
      for (const { name, args, withoutCalls } of questions) {
        const cost = await costOf(args, scratch, scratch, callsOnly ? 'calls' : withoutCalls ? 'usage' : 'all')
        costs.set(name, [...(costs.get(name) ?? []), cost])
        process.stderr.write(`${count} days: ${name}: ${textOf(cost)}\n`)
      }
    }
    return { questions, costs, inodes, families }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function tellInodes(counts: ReadonlyMap<string, number>): void {
  const { inodes, megabytes, ofManifests } = yearOf(counts)
  const ofDay = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')
  const ofYear = `${inodes.toLocaleString('en')} inodes, ${Math.round(megabytes)} MB of metadata on ext4`
  print(`a day: ${ofDay}; a year: ${ofYear}, and ${Math.round(ofManifests)} MB of blocks that hold manifests`)
  print('goal: <= 200,000 inodes, <= 150 MB\n')
}

/** What whole days would have with other settings. */
function tellSegments(families: readonly RecordedFamily[]): void {
  const littleMiB = [4, 8, 16]
  print(`| segments a day | ${littleMiB.map(mib => `littleMiB ${mib}`).join(' | ')} |`)
  print(`|---|${littleMiB.map(() => '---|').join('')}`)
  for (const hours of [1, 6, 8, 12, 24]) {
    const counts = littleMiB.map(mib => {
      const day = { fromMs: 0, hours: 24, long: { hours, bytes: mib * 1024 * 1024 } }
      return families.reduce((sum, { name, bytesIn }) => sum + segmentsOf(name.channel, bytesIn, day).length, 0)
    })
    print(`| longestHours ${hours} | ${counts.join(' | ')} |`)
  }
  print('')
}

function told(questions: readonly Question[], costs: ReadonlyMap<string, readonly Cost[]>, days: readonly number[]) {
  print(`| command | ${days.map(count => `${count} d`).join(' | ')} | goal | |`)
  print(`|---|${days.map(() => '---|').join('')}---|---|`)
  let allHold = true
  for (const { name, goal } of questions) {
    const found = costs.get(name) ?? []
    const [first, last] = [found[0], found.at(-1)]
    const holds = first !== undefined && last !== undefined && isReached(goal, first, last, days.at(-1) ?? 1)
    allHold &&= holds
    const times = first && last ? `${(last.cpuS / first.cpuS).toFixed(1)} ×, ` : ''
    print(`| ${name} | ${found.map(textOf).join(' | ')} | ${goalText(goal)} | ${times}${holds ? 'holds' : 'MISSED'} |`)
  }
  return allHold
}

function textOf({ cpuS, share, peakMiB, calls }: Cost): string {
  const text = `${cpuS.toFixed(2)} s, ${Math.round(peakMiB)} MiB`
  if (share !== undefined) return `${text}, then ${percent(share)} of a core`
  return calls === undefined ? text : `${text}, ${calls.toLocaleString('en')} calls`
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

function isReached(goal: Goal, first: Cost, last: Cost, days: number): boolean {
  const callsHold = !('calls' in goal) || (last.calls ?? 0) <= (goal.calls ?? Infinity)
  if ('cpuTimes' in goal) return callsHold && last.cpuS <= goal.cpuTimes * first.cpuS
  if ('calls' in goal) return callsHold
  if ('share' in goal && !((last.share ?? NaN) <= goal.share)) return false
  const cpuS = 'isPerDay' in goal ? first.cpuS + goal.cpuS * days : goal.cpuS
  return last.cpuS <= cpuS && last.peakMiB <= goal.peakMiB
}

function goalText(goal: Goal): string {
  if ('cpuTimes' in goal)
    return `≤ ${goal.cpuTimes} × CPU of one day${goal.calls === undefined ? '' : `, ≤ ${goal.calls} calls`}`
  if ('calls' in goal) return `≤ ${goal.calls} calls`
  const text = `≤ ${goal.cpuS} s${'isPerDay' in goal ? ' a day' : ''}, ≤ ${goal.peakMiB} MiB`
  return 'share' in goal ? `${text}, ≤ ${percent(goal.share)} of a core` : text
}

function questionsOf(copy: string, config: string, momentMs: number): Question[] {
  const date = dateOf(momentMs)
  const moment = new Date(momentMs).toISOString().replace('Z', '')
  const one = `date = DATE '${date}' AND instrument_name = 'BTC-PERPETUAL'`
  const from = ['query', '--path', copy]
  const span = `'${date} 01:00', '${date} 02:00'`
  const asOne = { cpuTimes: 1.5 }
  return [
    {
      name: 'query, one day, one instrument',
      args: [...from, `SELECT count(*) FROM quote WHERE ${one}`],
      goal: { ...asOne, calls: 200 },
    },
    { name: 'SHOW TABLES', args: [...from, 'SHOW TABLES'], goal: asOne },
    {
      name: 'ready view, one moment',
      args: [...from, `FROM option_chain('${moment}', 'BTC')`],
      goal: asOne,
    },
    { name: 'ready view, an hour', args: [...from, `FROM basis('BTC-%', INTERVAL 1 HOUR, ${span})`], goal: asOne },
    {
      name: 'dump of an hour',
      args: ['dump', join(copy, 'raw'), '--channel', 'trades', '--from', `${date}T01:00`, '--to', `${date}T02:00`],
      goal: asOne,
    },
    { name: 'book --at', args: ['book', 'BTC-PERPETUAL', '--at', moment, '--path', copy], goal: asOne },
    {
      name: 'compactor idle, with the state',
      args: ['compact', '--once', '--config', config],
      goal: { cpuS: 1, peakMiB: 130 },
    },
    {
      name: 'compactor that goes on',
      args: ['compact', '--config', config],
      goal: { cpuS: 3, share: 0.01, peakMiB: 150 },
      withoutCalls: true,
    },
    {
      name: 'query --config',
      args: ['query', '--config', config, `SELECT count(*) FROM quote WHERE ${one}`],
      goal: asOne,
    },
    { name: 'recorder, start', args: ['record', '--config', config], goal: { calls: 500 } },
    { name: 'status', args: ['status', '--json', '--config', config], goal: { cpuS: 0.5, peakMiB: 150 } },
    { name: 'coverage --date', args: ['coverage', '--path', copy, '--date', date, '--json'], goal: { cpuTimes: 1.2 } },
    {
      name: 'coverage of all',
      args: ['coverage', '--path', copy, '--json'],
      goal: { cpuS: 0.1, peakMiB: 400, isPerDay: true },
      withoutCalls: true,
    },
    ...[[], ['--json']].map((form): Question => {
      const name = `coverage --by hour of all${form.length > 0 ? ', JSON' : ''}`
      const args = ['coverage', '--path', copy, '--by', 'hour', ...form]
      return { name, args, goal: { cpuS: 0.1, peakMiB: 400, isPerDay: true }, withoutCalls: true }
    }),
  ]
}

/** A compactor that ran each day has marked the days that are over. */
async function markAsDone(config: string): Promise<void> {
  await delay(SETTLED_MS)
  const main = join(packageRoot, 'dist', 'cli', 'main.js')
  await execa(process.execPath, [main, 'compact', '--once', '--config', config], { stdin: 'ignore' })
}

function configAt(scratch: string, dataDir: string): string {
  const config = join(scratch, 'box.yaml')
  // Nothing listens there: a recorder starts, and knows its files by then.
  const exchange = { name: 'deribit', url: 'ws://127.0.0.1:9/ws/api/v2' }
  writeFileSync(config, JSON.stringify({ dataDir, host: 'bench', exchange, http: { enabled: false } }))
  return config
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
