import t from 'tap'
import { documentedColumns } from '../compactor/fixtures/tables-page.js'
import { capturedFrames } from '../fixtures/captured-frames.js'

type Fields = Record<string, unknown>

/** Tables of frames that name their instrument, and files of such frames. */
const CAPTURED = {
  trades: ['trades.jsonl', 'rest_get_last_trades.jsonl'],
  ticker: ['ticker.jsonl'],
  incremental_ticker: ['incremental_ticker.jsonl', 'ticker.jsonl', 'rest_get_order_book.jsonl'],
  quote: ['quote.jsonl', 'ticker.jsonl'],
}
const IN_COIN = 'quote currency of the instrument (coin for inverse options)'
const IN_INDEX = 'quote currency of the index (USD for inverse options)'
/** An option of a coin at its own price: never dearer than a few coins, where the coin costs hundreds of dollars. */
const COINS_MAX = 10

const isInverseOption = (name: unknown): name is string => typeof name === 'string' && /^(BTC|ETH)-.*-[CP]$/.test(name)

/** Everything in a frame that says of which instrument it is. */
function itemsOf(value: unknown): Fields[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(itemsOf)
  return 'instrument_name' in value ? [value, ...inner] : inner
}

/** A member by the path that the page names: `stats.high`. */
const memberOf = (item: Fields, path: string) =>
  path.split('.').reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], item)

t.test('prices of the index were said to be in coin: each unit is that of the captured frames', t => {
  const page = documentedColumns()
  const checked = new Map<string, number>()
  for (const [table, files] of Object.entries(CAPTURED)) {
    const columns = page.get(table)?.filter(({ unit }) => unit.startsWith(IN_COIN) || unit === IN_INDEX) ?? []
    t.ok(columns.length > 1, `${table} has prices`)
    for (const file of files) {
      const frames = capturedFrames(t, file)
      if (!frames) continue
      const options = frames
        .flatMap(line => itemsOf(JSON.parse(line)))
        .filter(item => isInverseOption(item['instrument_name']))
      for (const { name, unit, source } of columns) {
        const path = /^`([\w.]+)`/.exec(source)?.[1] ?? name
        const values = options
          .map(item => memberOf(item, path))
          .filter(value => typeof value === 'number' && value !== 0)
        const wrong = values.filter(value => Number(value) > COINS_MAX !== (unit === IN_INDEX))
        t.same(wrong, [], `${table}.${name} (${unit}) in ${file}`)
        checked.set(unit, (checked.get(unit) ?? 0) + values.length)
      }
    }
  }
  t.comment(`values of inverse options: ${JSON.stringify(Object.fromEntries(checked))}`)
  t.end()
})

t.test('ids of trades were said to exceed 2^53: they are texts, those of starbase do', async t => {
  const frames = capturedFrames(t, 'trades.jsonl')
  if (!frames) return
  const beyond = frames.flatMap(line => [...line.matchAll(/"(\w+)": ?(\d{17,})/g)])
  const names = new Set(beyond.filter(([, , id = '']) => BigInt(id) > 2n ** 53n).map(([, name]) => name))
  t.same([...names].sort(), ['starbase_match_id', 'starbase_timestamp'])
  t.ok(
    frames
      .flatMap(line => itemsOf(JSON.parse(line)))
      .every(({ trade_id }) => trade_id === undefined || typeof trade_id === 'string'),
  )
})
