import t from 'tap'
import { startSimulator } from '../../simulator/main.js'
import { recordedLines, startRecorder, statusOf, until } from '../fixtures/recorder-process.js'

interface ConnectionStatus {
  sessions: number
  channels: number
}

interface Entry {
  event: string
  channels?: string[]
  instruments?: string[]
}

t.test('6,000 instruments and 15,000 channels are taken within the limits, and follow what comes and goes', async t => {
  // A market that stands almost still: this is about subscriptions, and the limits of the exchange are on.
  const exchange = await startSimulator({ rate: 1, instruments: 7800, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  t.ok(exchange.market.listings.size > 6000, `${exchange.market.listings.size} instruments`)
  const recorder = startRecorder(t, t.testdir({}), {
    url: exchange.url,
    currencies: ['any'],
    channelsPerConnection: 1500,
    connectionsMax: 8,
    channels: { option: ['trades', 'quote', 'ticker', 'incremental_ticker'], index: ['deribit_price_index'] },
    polls: { fundingHistory: { everyMinutes: 0 }, candles: { everyMinutes: 0 }, bookSummary: { everyMinutes: 0 } },
  })
  const connections = () => (statusOf(recorder)['connections'] ?? []) as ConnectionStatus[]
  const channels = () => connections().reduce((sum, each) => sum + each.channels, 0)
  const planned = () => Number(statusOf(recorder)['channels_planned'] ?? 0)
  await until('all are live', () => planned() > 0 && channels() === planned(), 60_000)
  const before = planned()
  t.ok(before > 15_000, `${before} channels`)
  t.equal(connections().length, 8, 'no more connections than the cap')

  const born = exchange.market.listNewStrike()?.name ?? ''
  await until('the new one is taken', () => planned() > before && channels() === planned(), 30_000)
  exchange.market.expire(born)
  await until('the expired one is dropped', () => planned() === before && channels() === before, 120_000)
  t.same(
    connections().map(({ sessions }) => sessions),
    Array.from({ length: 8 }, () => 1),
    'none was ended for going over a limit',
  )
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)

  const lines = recordedLines(recorder.dataDir)
  const entries = lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as Entry)
  t.match(
    entries.filter(({ event }) => event.startsWith('instruments_')),
    [
      { event: 'instruments_added', instruments: [born] },
      { event: 'instruments_removed', instruments: [born] },
    ],
  )
  const channelsOf = (event: string) =>
    entries.filter(entry => entry.event === event).flatMap(({ channels = [] }) => channels)
  t.same(channelsOf('rejected'), [])
  const taken = channelsOf('subscribed')
  t.equal(taken.length, new Set(taken).size, 'no channel was taken twice: each stays where it is')
  t.ok(channelsOf('unsubscribed').length > 0)
  t.ok(
    channelsOf('unsubscribed').every(channel => channel.includes(born)),
    'nothing else was ended',
  )
  for (const { frame } of lines.filter(({ family }) => family === 'sent')) {
    const { params } = JSON.parse(frame.toString('utf8')) as { params: { channels?: string[] } }
    if (frame.length > 32_000 || (params.channels?.length ?? 0) > 500) t.fail(`a call of ${frame.length} bytes`)
  }
})
