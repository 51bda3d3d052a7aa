import fc from 'fast-check'
import t from 'tap'
import { compareWays, openWays } from '../fixtures/both-ways.js'
import { AT, linesOf, option, subscription } from '../fixtures/samples/sample.js'
import { madeOfItsSource } from '../../fixtures/committed-wasm.js'

t.test('the committed file was made of the source that stands beside it', t => {
  madeOfItsSource(t, 'compactor/lines/line-rows.wasm', 'rows-wasm')
  t.end()
})

const digits = (most: number) => fc.stringMatching(new RegExp(`^(0|[1-9][0-9]{0,${most}})$`))
/** Numbers as JSON may spell them: short and long ones, of all sizes, halfway between two doubles and next to it. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(digits(3), digits(20), fc.bigInt(2n ** 53n, 2n ** 54n).map(String)),
    fc.option(fc.stringMatching(/^[0-9]{1,22}$/), { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e-', 'e+'), fc.integer({ min: 0, max: 40 })), {
      nil: undefined,
      freq: 3,
    }),
  )
  .map(
    ([sign, whole, fraction, power]) =>
      `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${power?.join('') ?? ''}`,
  )
/** Exactly between two doubles, in as many digits as are taken. */
const halfway = fc
  .tuple(fc.bigInt(2n ** 52n, 2n ** 53n - 1n), fc.integer({ min: 1, max: 3 }))
  .map(([fraction, power]) => {
    const text = String((2n * fraction + 1n) * 5n ** BigInt(power))
    return `${text.slice(0, -power)}.${text.slice(-power)}`
  })
const anyNumber = fc.oneof(
  number,
  halfway,
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(value => JSON.stringify(value)),
)

t.test('numbers are those of DuckDB, bit for bit, and texts of numbers spelled as there', async t => {
  const ways = await openWays(t)
  const seed = Date.now()
  t.comment(`seed ${seed}`)
  const numbers = fc.sample(anyNumber, { seed, numRuns: 6000 })
  const quotes = numbers.map((value, index) =>
    subscription(`quote.${option}`, { timestamp: AT + index, instrument_name: option, best_bid_price: '#' }).replace(
      '"#"',
      value,
    ),
  )
  const taken = await compareWays(t, ways, { family: 'quote' }, linesOf({ frames: quotes }))
  t.ok(taken > numbers.length / 4, `${taken} of ${numbers.length}`)
  // A level's first element is a text.
  const books = numbers.map((value, index) =>
    subscription(`book.${option}.100ms`, {
      ...{ timestamp: AT, instrument_name: option, type: 'change', change_id: index, prev_change_id: index - 1 },
      ...{ bids: [['#', 1, 2]], asks: [] },
    }).replace('"#"', value),
  )
  const spelled = await compareWays(t, ways, { family: 'book' }, linesOf({ frames: books }))
  t.ok(spelled > numbers.length / 10, `${spelled} of ${numbers.length}`)
})

t.test('long digits are rounded as a parser does', async t => {
  const ways = await openWays(t)
  const values = [
    '0.0028213400122472977',
    '9007199254740993.0',
    '90071992547409930.5',
    '1.7976931348623157e1',
    '0.1000000000000000055',
  ]
  const frames = values.map(value =>
    subscription(`quote.${option}`, { timestamp: AT, instrument_name: option, best_bid_price: '#' }).replace(
      '"#"',
      value,
    ),
  )
  t.equal(await compareWays(t, ways, { family: 'quote' }, linesOf({ frames })), values.length, 'none of them is left')
})

const trade = (n: number, more: object = {}) => ({
  ...{ timestamp: AT + n, instrument_name: option, trade_seq: n, trade_id: String(n), price: 0.01, amount: 1 },
  ...{ direction: 'buy', tick_direction: 0, ...more },
})

t.test('frames of any number of items, over the ends of vectors', async t => {
  const ways = await openWays(t)
  const counts = [
    1,
    2047,
    1,
    1,
    2048,
    2049,
    700,
    700,
    700,
    700,
    5000,
    ...Array.from({ length: 300 }, (_, n) => (n * 37) % 60),
  ]
  const frames = counts.map(count =>
    subscription(
      `trades.${option}.100ms`,
      Array.from({ length: count }, (_, n) => trade(n)),
    ),
  )
  const left = counts.filter(count => count === 0 || count > 2048).length
  t.equal(await compareWays(t, ways, { family: 'trades' }, linesOf({ frames })), counts.length - left)
})

t.test('texts of any length: in the entry, behind it, and more than there is room for', async t => {
  const ways = await openWays(t)
  const lengths = [
    ...Array.from({ length: 40 }, (_, n) => n),
    127,
    128,
    129,
    1000,
    100_000,
    200_000,
    60_000,
    60_000,
    60_000,
    60_000,
  ]
  const frames = [...lengths, ...lengths].map((length, n) =>
    subscription(`trades.${option}.100ms`, [trade(n, { liquidation: 'x'.repeat(length) })]),
  )
  t.equal(
    await compareWays(t, ways, { family: 'trades' }, linesOf({ frames })),
    frames.length - 2,
    'one is left, twice',
  )
})

t.test('books of any depth: elements of lists of all rows have room together, or begin new ones', async t => {
  const ways = await openWays(t)
  const level = (n: number) => ['new', n / 2, n]
  const depths = [0, 1, 5000, 4000, 3000, 16_000, 1, 17_000, 1, ...Array.from({ length: 400 }, (_, n) => n)]
  const frames = depths.map((depth, index) =>
    subscription(`book.${option}.100ms`, {
      ...{ timestamp: AT, instrument_name: option, type: 'snapshot', change_id: index },
      ...{ bids: Array.from({ length: depth }, (_, n) => level(n)), asks: [level(1)] },
    }),
  )
  t.equal(await compareWays(t, ways, { family: 'book' }, linesOf({ frames })), frames.length - 1)
})

t.test(
  'what is not a plain line is left: empty ones, other texts, bytes that are no UTF-8, what stands behind a frame',
  async t => {
    const ways = await openWays(t)
    const [good] = linesOf({ frames: [subscription(`trades.${option}.100ms`, [trade(1)])] })
    if (!good) throw new RangeError('no line')
    const odd = [
      '',
      '{}',
      'null',
      'x',
      `${good.toString()} `,
      `${good.toString()}{}`,
      good.toString().replace(option, 'é'),
      good.toString().slice(0, -1),
    ]
    const lines = odd.flatMap(text => [good, Buffer.from(text)])
    t.equal(await compareWays(t, ways, { family: 'trades' }, lines), odd.length)
  },
)
