import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { lineHead } from '../../../formats/raw-line.js'
import type { SegmentName } from '../../../formats/raw-path.js'
import { ChannelChoice } from '../../../reader/channel-choice.js'
import { lineFilter, type LineChoice } from '../../../reader/dump/line-filter.js'
import { holds } from '../../fixtures/holds.js'

const ALL: LineChoice = {
  channel: undefined,
  instrument: undefined,
  conn: undefined,
  fromUs: undefined,
  toUs: undefined,
}

/** Frames as each exchange sends them of a channel, and what people call the instrument. */
const SENT: Readonly<Record<string, (instrument: string, at: number) => { frame: string; instrument: string }>> = {
  deribit: (name, at) => {
    const channel = [`trades.${name}.100ms`, `quote.${name}`, `book.${name}.none.10.100ms`][at % 3]
    return { frame: `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":{"instrument_name":"${name}"}}}`, instrument: name } // prettier-ignore
  },
  okx: (name, at) => {
    const channel = ['trades', 'books', 'bbo-tbt', 'candle1m'][at % 4]
    return { frame: `{"arg":{"channel":"${channel}","instId":"${name}"},"data":[{"instId":"${name}"}]}`, instrument: name } // prettier-ignore
  },
  bybit: (name, at) => {
    const topic = [`publicTrade.${name}`, `orderbook.50.${name}`, `orderbook.1.${name}`, `tickers.${name}`][at % 4]
    return { frame: `{"topic":"${topic}","type":"delta","ts":1790000000000,"data":{"s":"${name}"}}`, instrument: name }
  },
}
const NAMES: Readonly<Record<string, readonly string[]>> = {
  deribit: ['BTC-PERPETUAL', 'BTC', 'ETH-27NOV26-4000-C', 'XRP_USDC-26DEC25-0d4-C'],
  okx: ['BTC-USDT', 'BTC-USDT-SWAP', 'BTC-USD-261127-90000-C'],
  bybit: ['BTCUSDT', 'BTC-27NOV26-90000-C-USDT', 'XRP-26DEC25-0.4-C-USDT'],
}

const sent = fc
  .tuple(fc.constantFrom(...Object.keys(SENT)), fc.nat(), fc.nat({ max: 11 }), fc.integer({ min: 1, max: 1000 }))
  .map(([exchange, which, at, seq]) => {
    const names = NAMES[exchange] ?? []
    const { frame, instrument } = SENT[exchange]?.(names[which % names.length] ?? '', at) ?? {
      frame: '',
      instrument: '',
    }
    const { frames, names: of } = exchangeNamed(exchange)
    const channel = frames.channelOf(Buffer.from(frame), '') ?? ''
    const family = of.familyOfChannel(channel)
    const segment: SegmentName = { exchange, channel: family, startedMs: 1_790_000_000_000, host: 'h', run: 'r', number: 1 } // prettier-ignore
    const recvUs = 1_790_000_000_000_000 + seq
    return { line: `${lineHead(recvUs, `d${1 + (seq % 2)}`, seq, 'frame')}${frame}}`, frame, channel, family, instrument, segment, recvUs, seq } // prettier-ignore
  })

t.test('lines that are chosen by a channel are those that readers of frames choose by it', t => {
  const asked = fc.constantFrom('trades', 'quote', 'book', 'publicTrade', 'orderbook', 'orderbook.50', 'candle1m', 'books', 'nothing', 'trades.BTC-USDT') // prettier-ignore
  holds(
    t,
    fc.property(sent, asked, fc.nat({ max: 4 }), ({ line, channel, family, segment }, other, parts) => {
      assert.notEqual(channel, '', 'the exchange finds its channel')
      const beginning = channel.split('.').slice(0, parts).join('.')
      for (const name of [other, beginning, family, `${channel}x`].filter(text => text !== '')) {
        const choice = new ChannelChoice([name])
        const taken = choice.mayHold(family) && (choice.takesAllOf(family) || choice.takes(channel))
        assert.equal(lineFilter({ ...ALL, channel: name }, segment)(line), taken, `${name} of ${channel} in ${family}`)
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('lines that are chosen by an instrument are those about it, and no other whose name is like it', t => {
  holds(
    t,
    fc.property(sent, ({ line, instrument, segment }) => {
      for (const place of [segment, undefined]) {
        assert.ok(lineFilter({ ...ALL, instrument }, place)(line), `${instrument}: ${line}`)
        for (const other of [
          `${instrument}X`,
          instrument.slice(0, -1),
          `X${instrument}`,
          instrument.replace(/[-.]/, 'x'),
        ])
          if (other !== instrument)
            assert.ok(!lineFilter({ ...ALL, instrument: other }, place)(line), `${other}: ${line}`)
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test(
  'a choice of several things takes what is all of them; times are from one up to, and not including, another',
  t => {
    holds(
      t,
      fc.property(
        sent,
        fc.integer({ min: -2, max: 2 }),
        fc.constantFrom('d1', 'd2', undefined),
        ({ line, recvUs, seq, segment }, off, conn) => {
          // prettier-ignore
          const isOfConn = conn === undefined || conn === `d${1 + (seq % 2)}`
          const at = recvUs + off
          assert.equal(lineFilter({ ...ALL, conn, fromUs: at }, segment)(line), isOfConn && off <= 0)
          assert.equal(lineFilter({ ...ALL, conn, toUs: at }, segment)(line), isOfConn && off > 0)
          assert.equal(lineFilter({ ...ALL, conn, channel: segment.channel }, segment)(line), isOfConn)
          assert.ok(!lineFilter({ ...ALL, conn, channel: 'nothing' }, segment)(line))
        },
      ),
    )
    t.end()
  },
)

t.test('a line that is none of ours is shown where all is asked for, and where nothing needs to be known of it', t => {
  for (const line of ['', '{}', 'torn', '{"recv_us":"x"}']) {
    t.ok(lineFilter(ALL)(line), line)
    t.notOk(lineFilter({ ...ALL, fromUs: 0 })(line))
    t.notOk(lineFilter({ ...ALL, conn: 'd1' })(line))
    t.notOk(lineFilter({ ...ALL, channel: 'trades' })(line))
    t.notOk(lineFilter({ ...ALL, instrument: 'BTC' })(line))
  }
  t.end()
})
