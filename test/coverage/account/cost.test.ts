import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { writeJournalHour, type ToldAt } from '../../fixtures/journal-hour.js'

/** Generous, for a machine that does other things, too: on an idle one a day takes less than a second. */
const SECONDS_MAX = 4
const MIB_MAX = 150
const OLD_DAYS = 120

const instruments = Array.from({ length: 500 }, (_, i) => `BTC-27NOV26-${40_000 + 100 * i}-C`)
const channels = instruments.flatMap(name => ['quote', 'ticker', 'book'].map(family => `${family}.${name}.100ms`))

function writeHour(root: string, startedMs: number, run: string, events: readonly ToldAt[]): void {
  writeJournalHour(root, { startedMs, host: 'vps1', run, number: 1 + ((startedMs / 3_600_000) % 24) }, events)
}

function hourOf(startedMs: number, isFirst: boolean): ToldAt[] {
  const parts = [channels.slice(0, 750), channels.slice(750)]
  const told = parts.map((part, i) =>
    isFirst
      ? ([0.5, { event: 'subscribed', conn: 'd1', channels: part }] as const)
      : ([0.5, { event: 'subscriptions', conn: 'd1', channels: part, part: i + 1, parts: 2 }] as const),
  )
  const startUs = startedMs * 1000
  const breaks = Array.from({ length: 20 }, (_, i): ToldAt => {
    const channel = `book.${instruments[(i * 7) % 500] ?? ''}.100ms`
    const from_us = startUs + (100 + 10 * i) * 1e6
    return [
      100 + 10 * i,
      { event: 'book_break', conn: 'd1', channel, instrument: channel.split('.')[1], from_us, to_us: from_us + 1000 },
    ]
  })
  const resyncs = breaks.map(([second, event]): ToldAt => [
    second + 1,
    { ...event, event: 'resync', to_us: startUs + (second + 1) * 1e6 },
  ])
  const gap = [
    2000,
    {
      event: 'gap',
      conn: 'd1',
      cause: 'connection lost',
      families: ['quote', 'ticker', 'book'],
      from_us: startUs + 1990e6,
      to_us: startUs + 2000e6,
    },
  ] as const
  const begin = isFirst
    ? [
        [0, { event: 'started', run: 'r1', host: 'vps1' }] as const,
        [1, { event: 'live', conn: 'd1', channels: 1500 }] as const,
      ]
    : []
  return [...begin, ...told, ...breaks, ...resyncs, gap].sort((a, b) => a[0] - b[0])
}

t.test('a day of 500 instruments costs what the day holds, however many days lie beside it', async t => {
  const root = t.testdir()
  const day = Date.parse('2026-11-22T00:00:00Z')
  for (let ago = OLD_DAYS; ago > 0; ago--)
    writeHour(root, day - ago * 86_400_000, `old${ago}`, [
      [0, { event: 'started', run: `old${ago}`, host: 'vps1' }],
      [1, { event: 'stopped', reason: 'test' }],
    ])
  for (let hour = 0; hour < 24; hour++)
    writeHour(root, day + hour * 3_600_000, 'r1', hourOf(day + hour * 3_600_000, hour === 0))
  const measure = pathToFileURL(join(import.meta.dirname, '../../../coverage/account/measure.js')).href
  const script = `
    import { readFileSync } from 'node:fs'
    const { measureAccount, dayOf } = await import(${JSON.stringify(measure)})
    const before = readFileSync('/proc/self/status', 'utf8').match(/VmRSS:\\s+(\\d+)/)[1] / 1024
    const from = process.cpuUsage()
    const { groups } = await measureAccount(${JSON.stringify(root)}, dayOf('2026-11-22'))
    const { user, system } = process.cpuUsage(from)
    const peak = readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\\s+(\\d+)/)[1] / 1024
    console.log(JSON.stringify({ groups: groups.length, channels: groups.reduce((n, g) => n + g.channels.length, 0), seconds: (user + system) / 1e6, mib: peak - before, peak }))`
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const told = JSON.parse(text) as { groups: number; channels: number; seconds: number; mib: number; peak: number }
  t.comment(text)
  t.equal(told.channels, 1500)
  t.ok(told.seconds < SECONDS_MAX, `${told.seconds} s of CPU`)
  t.ok(told.mib < MIB_MAX, `${Math.round(told.mib)} MiB more than before`)
})
