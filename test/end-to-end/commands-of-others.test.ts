/** Each command over a recording of an exchange whose instruments and channels are called otherwise than Deribit's. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../config/load.js'
import { startSimulator as startBybit } from '../../exchanges/bybit/simulator/main.js'
import { startSimulator as startOkx } from '../../exchanges/okx/simulator/main.js'
import { bookAt, openRecording, readFrames } from '../../reader/library.js'
import { startReplay } from '../../reader/replay/replay-server.js'
import { createLogger } from '../../platform/log.js'
import { serve } from '../../monitor/http/serve.js'
import { openBrowser } from '../fixtures/browser.js'
import { unwrapped } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { matchAll } from '../fixtures/match-all.js'
import { needs } from '../fixtures/needs.js'
import { framesTaken, startRecorder, until, type RecorderProcess } from '../fixtures/recorder-process.js'

t.jobs = 2
t.setTimeout(240_000)

interface Venue {
  start: typeof startBybit | typeof startOkx
  exchange: string
  perpetual: string
  /** A pair, as commands take it, and how its tables and frames name it. */
  pair: string
  inTables: string
  trades: string
  families: { trades: string; books: string }
  channels: Record<string, string[]>
}

const venues: readonly Venue[] = [
  {
    ...{ start: startBybit, exchange: 'bybit', perpetual: 'BTCUSDT', pair: 'spot.BTCUSDT', inTables: 'BTCUSDT' },
    ...{ trades: 'publicTrade.BTCUSDT', families: { trades: 'trades', books: 'book' } },
    channels: {
      perpetual: ['trades', 'book', 'quote', 'ticker'],
      spot: ['trades', 'book'],
      option: ['ticker'],
      future: [],
    },
  },
  {
    ...{ start: startOkx, exchange: 'okx', perpetual: 'BTC-USDT-SWAP', pair: 'BTC-USDT', inTables: 'BTC-USDT' },
    ...{ trades: 'trades.BTC-USDT-SWAP', families: { trades: 'trades', books: 'books' } },
    channels: {
      perpetual: ['trades', 'books', 'bbo-tbt', 'tickers'],
      spot: ['trades', 'books'],
      option: ['opt-summary', 'mark-price'],
      future: [],
    },
  },
]

/** What a command prints; it ends in order. */
async function said(t: Test, args: string[], exitCodes = [0]): Promise<string> {
  const { stdout, stderr, exitCode } = await commandHere(args)
  t.ok(exitCodes.includes(exitCode ?? -1), `${args.join(' ')}: ${exitCode}\n${stderr.slice(-1000)}`)
  return stdout
}

const rowsIn = (text: string) =>
  text.split('\n').flatMap(line => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))

for (const venue of venues)
  t.test(venue.exchange, async t => {
    const { exchange, perpetual, pair, inTables, trades, families, channels } = venue
    const market = await venue.start({ rate: 150, instruments: 8, newInstrumentEveryMs: 0 })
    t.teardown(() => market.close())
    const wanted = { name: exchange, url: market.url, instruments: ['BTC*'], channels }
    const folder = t.testdir({ one: {}, other: {} })
    const recorderIn = (name: string) =>
      startRecorder(t, join(folder, name), wanted, { rotateMinutes: 60, flushMs: 100, fsyncMs: 100 }, {}, name)
    const recorders = [recorderIn('one'), recorderIn('other')] as [RecorderProcess, RecorderProcess]
    const [{ dataDir, configFile }] = recorders
    const enough = (recorder: RecorderProcess) =>
      framesTaken(recorder, families.trades) > 40 && framesTaken(recorder, families.books) > 40

    await t.test('doctor, status and the page while it records', async t => {
      await until('trades and books', () => recorders.every(enough), 120_000)
      const doctor = await said(t, ['doctor', '--config', configFile], [0, 3])
      t.match(unwrapped(doctor), /^ok +exchange .*first frame of .*BTC/m)
      t.match(
        await said(t, ['status', '--config', configFile]),
        new RegExp(`^ *(?:${exchange} )?${families.books} `, 'm'),
      )
    })

    await t.test('the page, in a browser', async t => {
      if (!needs(t, 'chromium')) return
      const config = loadConfig(configFile)
      const stop = new AbortController()
      let ended: Promise<unknown> = Promise.resolve()
      const url = await new Promise<string>(resolve => {
        const asked = { config: { ...config, http: { ...config.http, port: 0 } }, log: createLogger('test') }
        ended = serve({ ...asked, signal: stop.signal, onListening: resolve })
      })
      t.teardown(async () => {
        stop.abort()
        await ended
      })
      const page = await (await openBrowser(t)).newPage()
      const complaints: string[] = []
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', ({ message }) => complaints.push(message))
      await page.goto(url)
      await page.getByText('recording', { exact: true }).waitFor()
      for (const family of Object.values(families))
        await page.locator('#families b').getByText(family, { exact: true }).waitFor()
      t.match(await page.locator('#connections').textContent(), /live/)
      t.same(complaints, [])
    })

    const stoppedMs = Date.now()
    for (const { process } of recorders) process.kill()
    for (const { process } of recorders) t.equal((await process).exitCode, 0)
    // Nobody listens any more, and to go on is work.
    await market.close()
    await said(t, ['compact', '--once', '--config', configFile])
    const date = new Date(stoppedMs).toISOString().slice(0, 10)
    const at = new Date(stoppedMs - 500).toISOString()

    await t.test('dump: a channel, an instrument, a pair', async t => {
      const lines = rowsIn(await said(t, ['dump', dataDir, '--channel', trades]))
      t.ok(lines.length > 5, `${lines.length} frames of ${trades}`)
      const frames = lines.map(({ frame }) => JSON.stringify(frame))
      t.ok(frames.every(frame => frame.includes(`"${perpetual}"`) || frame.includes(`.${perpetual}"`)))
      const about = async (instrument: string) =>
        rowsIn(await said(t, ['dump', `${dataDir}/raw`, '--instrument', instrument])).map(({ recv_us: us }) => us)
      const [ofPerpetual, ofPair] = [await about(perpetual), await about(pair)]
      t.ok(ofPerpetual.length > 20 && ofPair.length > 5, `${ofPerpetual.length} and ${ofPair.length} frames`)
    })

    await t.test('dump of Parquet: a pair was not found there, and a perpetual was mixed with its pair', async t => {
      const kindsOf = async (instrument: string) => {
        const folder = join(dataDir, 'parquet', `exchange=${exchange}`, 'table=trades')
        const rows = rowsIn(await said(t, ['dump', folder, '--instrument', instrument]))
        t.ok(rows.length > 0, `rows of ${instrument}`)
        return rows.map(({ channel }) => channel)
      }
      t.same([...new Set(await kindsOf(perpetual))], [trades])
      for (const channel of [families.trades, trades]) {
        const found = rowsIn(await said(t, ['dump', join(dataDir, 'parquet'), '--channel', channel]))
        t.ok(
          found.some(row => row['channel'] === trades),
          `--channel ${channel}: ${found.length} rows`,
        )
      }
      t.ok((await kindsOf(pair)).every(channel => channel !== trades))
    })

    await t.test('book: of a perpetual and of a pair', async t => {
      for (const name of [perpetual, pair]) {
        const { bids, asks } = JSON.parse(
          await said(t, ['book', name, '--at', at, '--path', dataDir, '--json']),
        ) as Record<'bids' | 'asks', unknown[]>
        t.ok(bids.length > 0 && asks.length > 0, `${name}: ${bids.length} bids, ${asks.length} asks`)
      }
    })

    await t.test('coverage and verify', async t => {
      const account = await said(t, ['coverage', '--path', dataDir])
      t.match(account, /^Complete: \d+ channels/)
      const channels = await said(t, ['coverage', '--path', dataDir, '--by', 'channel', '--json'])
      t.match(channels, new RegExp(`"${perpetual}"`))
      const proof = await said(t, ['verify', dataDir])
      t.match(proof, /^no fault/m)
    })

    await t.test('report: of the one exchange, and the error for another', async t => {
      const out = join(folder, 'report.html')
      await said(t, ['report', '--date', date, '--path', dataDir, '--exchange', exchange, '--out', out])
      const html = readFileSync(out, 'utf8')
      const titles = [...html.matchAll(/<h2>([^<]+)/g)].map(([, title]) => title ?? '')
      t.ok(
        titles.some(title => title.startsWith(`${exchange} BTC`)),
        titles.join(),
      )
      t.ok(
        titles.some(title => title.startsWith(`Options: ${exchange} BTC`)),
        titles.join(),
      )
      t.notMatch(html, /deribit/i)
      const wrong = await commandHere(['report', '--date', date, '--path', dataDir, '--exchange', 'nobody'])
      t.match(wrong.stderr, new RegExp(`found exchange nobody, recorded are ${exchange}`))
    })

    await t.test(
      'export: a view as csv, a pair for Tardis, and the error for what the exchange does not tell',
      async t => {
        const out = join(folder, 'csv')
        const asked = ['--path', dataDir, '--out', out]
        await said(t, ['export', '--format', 'csv', '--view', 'trades_all', ...asked])
        t.match(readFileSync(join(out, 'trades_all.csv'), 'utf8'), new RegExp(`^${exchange},`, 'm'))
        const tardis = await said(t, ['export', '--format', 'tardis-csv', '--instrument', pair, '--json', ...asked])
        t.match(JSON.parse(tardis), { files: Number, rows: Number })
        const wrong = [
          'export',
          '--format',
          'tardis-csv',
          '--type',
          'derivative_ticker',
          '--instrument',
          pair,
          ...asked,
        ]
        t.match((await commandHere(wrong)).stderr, new RegExp(`derivative_ticker of ${pair}`))
      },
    )

    await t.test('two trees become one, each event once', async t => {
      const to = join(folder, 'merged')
      await said(t, ['merge', dataDir, recorders[1].dataDir, '--out', to])
      const sql = `SELECT count(*)::INTEGER AS n, count(DISTINCT (kind, instrument_name, trade_id))::INTEGER AS own FROM trades_all`
      const [sums] = rowsIn(await said(t, ['query', '--path', to, '--json', sql]))
      t.equal(sums?.['n'], sums?.['own'])
    })

    await t.test('the library', async t => {
      let frames = 0
      for await (const { channel } of readFrames({ path: dataDir, channels: [families.trades] }))
        if (channel === trades) frames++
      t.ok(frames > 5)
      t.equal((await bookAt({ path: dataDir, instrument: perpetual, at })).state, 'known')
      const recording = await openRecording({ path: dataDir })
      t.teardown(() => recording.close())
      const average = `SELECT exchange, avg(price) AS price FROM trades_all WHERE base = 'BTC' AND kind = 'perpetual' GROUP BY 1`
      const rowsOf = async (sql: string) => {
        const rows = []
        for await (const row of recording.rows(sql)) rows.push(row)
        return rows
      }
      matchAll(t, await rowsOf(average), [{ exchange, price: Number }])
      const ofPair = `SELECT count(*)::INTEGER AS n FROM trades_all WHERE kind = 'spot' AND instrument_name = '${inTables}'`
      const [{ n } = {}, ...more] = await rowsOf(ofPair)
      t.ok(Number(n) > 0 && more.length === 0, 'the pair')
    })

    await t.test('replay: a recorder takes its instruments from the recorded lists, and its channels', async t => {
      const replay = await startReplay({
        ...{ path: dataDir, exchange, host: '127.0.0.1', port: 0, speed: 1, loop: true },
        onProblem: (_path, problem) => t.fail(problem),
      })
      t.teardown(() => replay.close())
      mkdirSync(join(folder, 'again'), { recursive: true })
      const again = startRecorder(t, join(folder, 'again'), { ...wanted, url: replay.url })
      await until('frames of trades', () => framesTaken(again, families.trades) > 5, 60_000)
      await until('frames of books', () => framesTaken(again, families.books) > 5, 60_000)
      again.process.kill()
      t.equal((await again.process).exitCode, 0)
      const names = async (root: string) =>
        rowsIn(
          await said(t, [
            'query',
            '--path',
            root,
            '--json',
            'SELECT DISTINCT instrument_name FROM instruments ORDER BY 1',
          ]),
        )
      t.same(await names(again.dataDir), await names(dataDir), 'the lists of instruments')
    })
  })
