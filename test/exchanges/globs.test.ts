/** Patterns of instruments, and that nothing is left unasked that one of them fits. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { optionCoinsOf } from '../../exchanges/bybit/instruments.js'
import { FeedFamilies } from '../../exchanges/generic/feed-families.js'
import { matcherOf } from '../../exchanges/globs.js'
import { Discovery } from '../../exchanges/okx/discovery.js'
import type { OkxHttp } from '../../exchanges/okx/http.js'
import { holds } from '../fixtures/holds.js'

/** What * means, letter by letter. */
function fits(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob[0] === '*') return fits(glob.slice(1), text) || (text !== '' && fits(glob, text.slice(1)))
  return text !== '' && glob[0] === text[0] && fits(glob.slice(1), text.slice(1))
}

const letters = fc.constantFrom('a', 'b', '*', '.', '+', '$', '(', '[', '\\', '\n', 'é')
const glob = fc.array(letters, { minLength: 1, maxLength: 7 }).map(all => all.join(''))
const text = fc.array(letters, { maxLength: 9 }).map(all => all.join(''))

t.test('a star stands for any text, every other letter for itself', t => {
  holds(
    t,
    fc.property(fc.array(glob, { maxLength: 3 }), text, (globs, text) => {
      assert.equal(
        matcherOf(globs)(text),
        globs.some(glob => fits(glob, text)),
        JSON.stringify({ globs, text }),
      )
    }),
    { numRuns: 2000 },
  )
  t.equal(matcherOf([])('a'), false)
  t.equal(matcherOf(['*'.repeat(5000) + 'b'])('a'.repeat(500)), false, 'many stars are one')
  t.end()
})

t.test(
  'a described feed: channels in any script have the family of their pattern, and the first that fits counts',
  t => {
    holds(
      t,
      fc.property(
        fc.array(glob, { minLength: 1, maxLength: 3 }),
        fc.array(glob, { minLength: 1, maxLength: 3 }),
        text,
        (one, other, channel) => {
          const families = new FeedFamilies(['/channel'], { one, other })
          // Names with escapes are taken as they stand in the frame.
          if (/[\\\n"]/.test(channel)) return
          const first = one.some(glob => fits(glob, channel)) ? 'frames.one' : undefined
          const second = other.some(glob => fits(glob, channel)) ? 'frames.other' : 'frames'
          assert.equal(families.familyOf(Buffer.from(JSON.stringify({ channel }))), first ?? second)
        },
      ),
      { numRuns: 500 },
    )
    const families = new FeedFamilies(['/行情'], { trades: ['成交.*'] })
    t.equal(families.familyOf(Buffer.from('{"行情":"成交.BTC"}')), 'frames.trades', 'no pattern fitted such names')
    t.end()
  },
)

const part = fc.constantFrom('*', 'BTC', 'ETH', 'B*', '*C', 'B*C', 'USD', 'USD_UM', '261225', '3000', 'C', 'P', '')
const okxGlob = fc.array(part, { minLength: 1, maxLength: 6 }).map(parts => parts.join('-').replace(/\*-\*/g, '**'))
const OKX_FAMILIES = ['BTC-USD', 'ETH-USD', 'BTC-USD_UM']
const okxOption = fc
  .tuple(
    fc.constantFrom(...OKX_FAMILIES),
    fc.constantFrom('261225', '270326'),
    fc.constantFrom('3000', '0.5'),
    fc.constantFrom('C', 'P'),
  )
  .map(parts => ({ family: parts[0], name: parts.join('-') }))

t.test('OKX: of every option that a pattern fits its family is asked for', async t => {
  await holds(
    t,
    fc.asyncProperty(
      fc.array(okxGlob, { minLength: 1, maxLength: 2 }),
      okxOption,
      async (instruments, { family, name }) => {
        if (!matcherOf(instruments)(name)) return
        const asked: Record<string, string>[] = []
        const rows: OkxHttp['rows'] = (path, query, take) => {
          if (path === 'public/underlying')
            take('control', Buffer.from(JSON.stringify({ code: '0', data: [OKX_FAMILIES] })))
          else asked.push({ ...query })
          return Promise.resolve([])
        }
        const channels = { perpetual: [], future: [], spot: [], option: ['tickers'], index: [], exchange: [] }
        const discovery = new Discovery({ rows } as unknown as OkxHttp, { instruments, channels })
        await discovery.fetch([], () => undefined, new AbortController().signal)
        assert.ok(
          asked.some(({ instFamily }) => instFamily === family),
          `${instruments.join(' ')} fits ${name}`,
        )
      },
    ),
    { numRuns: 600 },
  )
})

const bybitPart = fc.constantFrom('*', 'BTC', 'ETH', 'B*', '*C', 'B*C', '26DEC25', '3000', 'C', 'USDT', '')
const bybitGlob = fc
  .array(bybitPart, { minLength: 1, maxLength: 6 })
  .map(parts => parts.join('-'))
  .filter(glob => glob !== '')
const COINS = ['BTC', 'ETH', 'BTCX']

t.test('Bybit: of every option that a pattern fits its coin is asked for', t => {
  const option = fc.tuple(
    fc.constantFrom(...COINS),
    fc.constantFrom('26DEC25-3000-C-USDT', '26DEC25-0.5-C', '1JAN26-3000-P-USDT'),
  )
  holds(
    t,
    fc.property(fc.array(bybitGlob, { minLength: 1, maxLength: 2 }), option, (instruments, [coin, rest]) => {
      const coins = optionCoinsOf({ instruments, optionCoins: COINS })
      if (matcherOf(instruments)(`${coin}-${rest}`))
        assert.ok(coins.includes(coin), `${instruments.join(' ')} fits ${coin}-${rest}`)
    }),
    { numRuns: 2000 },
  )
  t.same(optionCoinsOf({ instruments: ['ETHUSDT'], optionCoins: COINS }), [], 'no call for what no option can be')
  t.end()
})
