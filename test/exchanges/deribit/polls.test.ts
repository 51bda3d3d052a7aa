import t from 'tap'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import type { Instrument } from '../../../exchanges/deribit/instruments.js'
import { planPolls } from '../../../exchanges/deribit/polls.js'
import { dueMs, spansFor, type Poll } from '../../../exchanges/polls.js'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { listedInstruments } from '../../fixtures/listed-instruments.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'

// Mostly waits.

// They mostly wait.
t.jobs = 3

const configOf = (over: object) => deribitConfig.parse({ name: 'deribit', ...over })
const perpetual: Instrument = {
  instrument_name: 'BTC-PERPETUAL',
  kind: 'future',
  base_currency: 'BTC',
  settlement_currency: 'BTC',
  settlement_period: 'perpetual',
}
const option: Instrument = {
  ...perpetual,
  instrument_name: 'BTC-1JAN27-90000-C',
  kind: 'option',
  settlement_period: 'day',
}
const HOUR = 3_600_000
const NOW = Date.UTC(2026, 10, 23, 14, 20)

const pollOf = (id: string, over: object = {}): Poll => {
  const poll = planPolls([perpetual, option], configOf(over)).find(each => each.id === id)
  if (!poll) throw new Error(`no poll ${id}`)
  return poll
}

t.test('what is polled follows the config', t => {
  const idsOf = (over: object) => planPolls([perpetual, option], configOf(over)).map(({ id }) => id)
  t.same(idsOf({}), [
    'funding_history BTC-PERPETUAL',
    'volatility_index_history BTC 60',
    'book_summary BTC future',
    'book_summary BTC option',
    'candles BTC-PERPETUAL 1',
  ])
  t.same(
    idsOf({
      polls: {
        fundingHistory: { everyMinutes: 0 },
        volatilityIndex: { everyMinutes: 0 },
        bookSummary: { kinds: [] },
        candles: { kinds: ['option'], resolutions: [60, '1D'] },
      },
    }),
    ['candles BTC-1JAN27-90000-C 60', 'candles BTC-1JAN27-90000-C 1D'],
  )
  t.same(idsOf({ currencies: ['ETH'] }), [])
  t.end()
})

t.test('a poll is due once in each period, also after a restart', t => {
  const poll = pollOf('funding_history BTC-PERPETUAL')
  t.ok(dueMs(poll, undefined) <= NOW, 'what was never answered is due')
  t.equal(dueMs(poll, NOW), Date.UTC(2026, 10, 23, 15))
  t.equal(dueMs(poll, Date.UTC(2026, 10, 23, 15)), Date.UTC(2026, 10, 23, 16))
  t.end()
})

t.test('the first poll reaches back, a later one to the last answer, a late one not too far', t => {
  const poll = pollOf('candles BTC-PERPETUAL 1')
  const spans = (answeredMs: number | undefined) =>
    spansFor(poll, answeredMs, NOW).map(({ fromMs, toMs }) => [fromMs, toMs])
  t.same(spans(undefined), [[NOW - 24 * HOUR, NOW]])
  t.same(spans(NOW - 6 * HOUR), [[NOW - 6 * HOUR - 120_000, NOW]], 'the last rows are asked for again')
  t.same(spans(NOW - 100 * HOUR), [[NOW - 24 * HOUR, NOW]])
  t.end()
})

t.test('a long past is asked for in spans that one answer holds, without a hole', t => {
  const poll = pollOf('volatility_index_history BTC 1', { polls: { volatilityIndex: { resolution: 1, backHours: 2 } } })
  const calls = spansFor(poll, undefined, NOW)
  t.equal(calls.length, 8)
  calls.forEach(({ fromMs = 0, toMs }, index) => {
    t.ok(toMs - fromMs <= 1000 * 1000, 'at most a thousand rows')
    if (index > 0) t.equal(fromMs, calls[index - 1]?.toMs)
  })
  t.equal(calls.at(-1)?.toMs, NOW)
  t.end()
})

t.test(
  'answers are recorded as frames that say what they answer, and a restart asks for none of them again',
  async t => {
    const exchange = await startSimulator({ rate: 50, instruments: 40, credits: false })
    t.teardown(() => exchange.close())
    const folder = t.testdir({})
    const settings = { url: exchange.url, currencies: ['BTC'], polls: { callsPerSecond: 15 } }
    const families = ['funding_history', 'candle_history', 'volatility_index_history', 'book_summary', 'instruments']
    const first = startRecorder(t, folder, settings)
    await until('every family was answered', () => families.every(family => framesTaken(first, family) > 0), 60_000)
    const expected = planPolls(listedInstruments(exchange.market), configOf(settings)).length
    const answered = (recorder = first) =>
      families.slice(0, 4).reduce((sum, family) => sum + framesTaken(recorder, family), 0)
    await until('all was answered', () => answered() >= expected, 60_000)
    first.process.kill()
    t.equal((await first.process).exitCode, 0)

    const answers = recordedLines(first.dataDir)
      .filter(({ conn }) => conn === 'http')
      .map(({ family, frame }) => ({
        family,
        ...(JSON.parse(frame.toString('utf8')) as { id: string; result: unknown }),
      }))
    const familiesById = new Map(answers.map(({ id, family }) => [id, family]))
    t.equal(familiesById.get('funding_history BTC-PERPETUAL'), 'funding_history')
    t.equal(familiesById.get('candles BTC-PERPETUAL 1'), 'candle_history')
    t.equal(familiesById.get('volatility_index_history BTC 60'), 'volatility_index_history')
    t.equal(familiesById.get('book_summary BTC option'), 'book_summary')
    t.equal(familiesById.get('instruments BTC'), 'instruments')
    const hours = answers.find(({ id }) => id === 'funding_history BTC-PERPETUAL')?.result as object[]
    t.ok(hours.length > 0 && hours.every(hour => 'interest_1h' in hour))
    t.notOk([...familiesById.values()].includes('rpc'), 'none was refused')

    const second = startRecorder(t, folder, settings)
    await until('the second run is at work', () => framesTaken(second, 'quote') > 100, 60_000)
    t.equal(answered(second), 0)
    second.process.kill()
    t.equal((await second.process).exitCode, 0)
  },
)
