import t from 'tap'
import { parseConfig } from '../../config/load.js'
import { adapters, exchanges } from '../../exchanges/registry.js'
import { EdgeError } from '../../platform/edge-error.js'

/** The complaints about `text`, one a line; none for a good config. */
function complaints(text: string): string[] {
  try {
    parseConfig(text, 'edgetape.yaml')
    return []
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    return [error.code, ...error.message.split('\n')]
  }
}

const good = 'exchange: { name: deribit }'

const cases: { name: string; text: string; says: string | RegExp }[] = [
  {
    name: 'required key missing',
    text: 'dataDir: ./x\n',
    says: 'edgetape.yaml:1: exchange: found nothing, wanted keys with values',
  },
  {
    name: 'exchange beside exchanges',
    text: `${good}\nexchanges: [{ name: deribit }]`,
    says: 'edgetape.yaml:2: exchanges: found 1, wanted exchange or exchanges, not both',
  },
  {
    name: 'one exchange twice',
    text: 'exchanges:\n  - { name: deribit }\n  - { name: deribit }',
    says: 'edgetape.yaml:3: exchanges.1.name: found "deribit", wanted each exchange once',
  },
  {
    name: 'misspelled key of the second exchange',
    text: 'exchanges:\n  - name: feed\n    adapter: generic\n    url: wss://x.example\n  - name: deribit\n    currencys: [BTC]',
    says: 'edgetape.yaml:6: exchanges.1.currencys: unknown key; did you mean currencies?',
  },
  {
    name: 'empty file',
    text: '',
    says: 'edgetape.yaml:1: exchange: found nothing, wanted keys with values',
  },
  {
    name: 'not a map at all',
    text: 'hello\n',
    says: 'edgetape.yaml:1: (top level): found "hello", wanted keys with values',
  },
  {
    name: 'unknown key near a known one',
    text: `${good}\nsegments:\n  rotateMiB: 8\n  flushms: 5\n`,
    says: 'edgetape.yaml:4: segments.flushms: unknown key; did you mean flushMs?',
  },
  {
    name: 'unknown key near none',
    text: `${good}\nretention:\n  zebra: 1\n`,
    says: 'edgetape.yaml:3: retention.zebra: unknown key; known here: keepHours, minFreeGiB, maxDataGiB',
  },
  {
    name: 'credentials in the file',
    text: 'exchange:\n  name: deribit\n  clientSecret: hush-hush\n',
    says: 'edgetape.yaml:3: exchange.clientSecret: credentials are not taken from this file; set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET in the environment',
  },
  {
    name: 'value of the wrong type',
    text: `${good}\nsegments:\n  flushMs: soon\n`,
    says: 'edgetape.yaml:3: segments.flushMs: found "soon", wanted a number',
  },
  {
    name: 'fraction where none may be',
    text: `${good}\nsegments:\n  flushMs: 100.5\n`,
    says: 'edgetape.yaml:3: segments.flushMs: found 100.5, wanted a whole number',
  },
  {
    name: 'not a number',
    text: `${good}\nsegments:\n  rotateMiB: .nan\n`,
    says: 'edgetape.yaml:3: segments.rotateMiB: found NaN, wanted a number',
  },
  {
    name: 'too small',
    text: `${good}\nsegments: { flushMs: 1 }\n`,
    says: 'edgetape.yaml:2: segments.flushMs: found 1, wanted 50 or more',
  },
  {
    name: 'too large',
    text: `${good}\nhttp: { port: 70000 }\n`,
    says: 'edgetape.yaml:2: http.port: found 70000, wanted 65535 or less',
  },
  {
    name: 'a family that this kind has not',
    text: 'exchange:\n  name: deribit\n  channels:\n    option: [quote, perpetual]\n',
    says: 'edgetape.yaml:4: exchange.channels.option.1: found "perpetual", wanted one of trades, quote, book, book_grouped, ticker, incremental_ticker, chart.trades',
  },
  {
    name: 'a resolution that there is not',
    text: 'exchange:\n  name: deribit\n  candleResolutions: [1, 2]\n',
    says: 'edgetape.yaml:3: exchange.candleResolutions.1: found 2, wanted one of 1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1D',
  },
  {
    name: 'a raw grouped book',
    text: 'exchange:\n  name: deribit\n  intervals: { bookGrouped: raw }\n',
    says: 'edgetape.yaml:3: exchange.intervals.bookGrouped: found "raw", wanted one of same, 100ms, agg2',
  },
  {
    name: 'a group that a currency has not',
    text: 'exchange:\n  name: deribit\n  bookGrouped: { group: 2 }\n  channels: { option: [book_grouped] }\n',
    says: 'edgetape.yaml:3: exchange.bookGrouped.group: found 2, wanted one of none, 5, 10, 25, 100, 250, which ETH has',
  },
  {
    name: 'minutes that do not divide the hour',
    text: `${good}\nsegments: { rotateMinutes: 7 }\n`,
    says: 'edgetape.yaml:2: segments.rotateMinutes: found 7, wanted minutes that divide the hour, such as 60, 15 or 0.5',
  },
  {
    name: 'item of a list, on its own line',
    text: 'exchange:\n  name: deribit\n  channels:\n    option:\n      - trades\n      - qoute\n',
    says: /^edgetape\.yaml:6: exchange\.channels\.option\.1: found "qoute", wanted one of trades, .*; did you mean quote\?$/,
  },
  {
    name: 'one word where a list is wanted',
    text: 'exchange:\n  name: deribit\n  currencies: BTC\n',
    says: 'edgetape.yaml:3: exchange.currencies: found "BTC", wanted a list such as [a, b]',
  },
  {
    name: 'empty list',
    text: 'exchange:\n  name: deribit\n  currencies: []\n',
    says: 'edgetape.yaml:3: exchange.currencies: found [], wanted 1 item or more',
  },
  {
    name: 'currency in small letters',
    text: 'exchange:\n  name: deribit\n  currencies: [btc]\n',
    says: 'edgetape.yaml:3: exchange.currencies.0: found "btc", wanted a settlement currency such as BTC, or any',
  },
  {
    name: 'unknown exchange',
    text: 'exchange: { name: binance }\n',
    says: `edgetape.yaml:1: exchange.name: found "binance", wanted ${exchanges.map(({ name }) => name).join(', ')}, or any name together with adapter: generic`,
  },
  {
    name: 'unknown adapter',
    text: 'exchange: { name: binance, adapter: generik }\n',
    says: `edgetape.yaml:1: exchange.adapter: found "generik", wanted one of ${adapters.map(({ name }) => name).join(', ')}`,
  },
  {
    name: 'key of one adapter given to the other, or misspelled',
    text: 'exchange:\n  name: binance\n  adapter: generic\n  url: ws://localhost\n  chanelAt: [/stream]\n',
    says: 'edgetape.yaml:5: exchange.chanelAt: unknown key; did you mean channelAt?',
  },
  {
    name: 'misspelled key of a feed named generic, in a list',
    text: 'exchange:\n  name: generic\n  url: ws://localhost\n  answers:\n    - { at: /ping, sent: x, send: y }\n',
    says: 'edgetape.yaml:5: exchange.answers.0.sent: unknown key; did you mean send?',
  },
  {
    name: 'feed without a URL',
    text: 'exchange: { name: kraken, adapter: generic }\n',
    says: 'edgetape.yaml:1: exchange.url: found nothing, wanted text',
  },
  ...['../up', 'a/b', 'Kraken', '', '.', 'deribit'].map(name => ({
    name: `feed named "${name}"`,
    text: `exchange: { name: "${name}", adapter: generic, url: "ws://localhost" }\n`,
    says: /^edgetape\.yaml:1: exchange\.name: found .*, wanted a name of your own/,
  })),
  {
    name: 'family that is no folder name',
    text: 'exchange: { name: kraken, adapter: generic, url: "ws://localhost", families: { "../x": ["*"] } }\n',
    says: 'edgetape.yaml:1: exchange.families.../x: found "../x", wanted a name of a-z, 0-9 and _, at most 32',
  },
  {
    name: 'place of the channel that is no pointer',
    text: 'exchange: { name: kraken, adapter: generic, url: "ws://localhost", channelAt: [channel] }\n',
    says: 'edgetape.yaml:1: exchange.channelAt.0: found "channel", wanted a JSON pointer such as /channel or /arg/channel',
  },
  {
    name: 'redundancy of three',
    text: 'exchange: { name: deribit, redundancy: 3 }\n',
    says: 'edgetape.yaml:1: exchange.redundancy: found 3, wanted one of 1, 2',
  },
  {
    name: 'http for a WebSocket',
    text: 'exchange: { name: deribit, url: "https://www.deribit.com" }\n',
    says: 'edgetape.yaml:1: exchange.url: found "https://www.deribit.com", wanted a URL starting with ws:// or wss://',
  },
  {
    name: 'host that cannot be part of a file name',
    text: `${good}\nhost: a/b\n`,
    says: 'edgetape.yaml:2: host: found "a/b", wanted letters, digits, dots and dashes, at most 40',
  },
  {
    name: 'group without members',
    text: `${good}\nsync:\n`,
    says: 'edgetape.yaml:2: sync: found nothing, wanted keys with values',
  },
  { name: 'YAML that is none', text: `${good}\nhttp: { port: 1\n`, says: /^edgetape\.yaml:[23]: .*flow map/i },
  { name: 'tab as indentation', text: 'exchange:\n\tname: deribit\n', says: /^edgetape\.yaml:2: / },
  { name: 'key given twice', text: `${good}\nhost: a\nhost: b\n`, says: 'edgetape.yaml:3: Map keys must be unique' },
  { name: 'alias of nothing', text: `${good}\nhost: *nobody\n`, says: /^edgetape\.yaml(:2)?: .*nobody/ },
]

for (const { name, text, says } of cases) {
  t.test(name, t => {
    const [code, ...lines] = complaints(text)
    t.equal(code, 'CONFIG_INVALID')
    t.equal(lines.length, 1, 'one complaint')
    if (typeof says === 'string') t.equal(lines[0], says)
    else t.match(lines[0], says)
    t.end()
  })
}

t.test('every mistake is named at once', t => {
  const text = `${good}\nsegments:\n  flushMs: soon\n  fsyncMS: 5\nhttp: { port: -1 }\n`
  t.equal(complaints(text).length, 4)
  t.end()
})

t.test('a secret in the file is not repeated', t => {
  t.notMatch(complaints('exchange:\n  name: deribit\n  clientSecret: hush-hush\n').join('\n'), /hush/)
  t.end()
})
