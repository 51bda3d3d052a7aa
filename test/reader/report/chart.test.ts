import t from 'tap'
import { numberText, timeAxis, valueAxis } from '../../../reader/report/axis.js'
import { chartHtml, isBlank, type Chart } from '../../../reader/report/chart.js'
import { gridOf, onGrid } from '../../../reader/report/grid.js'
import { shownSpan } from '../../../reader/report/make-report.js'
import { chainSections, type OptionRow } from '../../../reader/report/options.js'
import { sectionHtml } from '../../../reader/report/section.js'

const DAY_MS = Date.parse('2026-11-22')
const HOUR_MS = 3_600_000

t.test('axes end on round numbers and say no more digits than they need', t => {
  const labels = (values: number[], fromZero?: boolean) => valueAxis(values, fromZero).ticks.map(({ label }) => label)
  t.same(labels([86_012, 86_190]), ['86,000', '86,100', '86,200'])
  t.same(labels([0.0205, 0.031]), ['0.020', '0.025', '0.030', '0.035'])
  t.same(labels([80_000, 101_000]), ['80K', '90K', '100K', '110K'])
  t.same(labels([-4, 39_000], true), ['0', '20K', '40K'], 'a hair below zero makes no further step')
  t.same(labels([3, 7], true), ['0', '5', '10'])
  t.same(labels([-2e6, 3e6], true), ['-2M', '0', '2M', '4M'])
  t.same(labels([5]).length > 1, true, 'a value alone has room around it')
  t.same(labels([]).length > 1, true)
  t.equal(numberText(1234.5, 0.5), '1,234.5')
  const day = timeAxis(DAY_MS, DAY_MS + 24 * HOUR_MS).ticks.map(({ label }) => label)
  t.same(day, ['00:00', '06:00', '12:00', '18:00', '24:00'])
  t.same(
    timeAxis(DAY_MS + 1000, DAY_MS + 21_000).ticks.map(({ label }) => label),
    ['00:00:05', '00:00:10', '00:00:15', '00:00:20'],
  )
  t.end()
})

t.test('a grid has no more steps than a chart can show', t => {
  const day = gridOf({ fromUs: DAY_MS * 1000, toUs: (DAY_MS + 24 * HOUR_MS) * 1000 })
  t.same([day.stepMs, day.starts.length], [300_000, 288])
  const seconds = gridOf({ fromUs: DAY_MS * 1000 + 1_500_000, toUs: DAY_MS * 1000 + 20_200_000 })
  t.same([seconds.stepMs, seconds.starts.length, seconds.fromMs], [1000, 20, DAY_MS + 1000])
  const rows = [
    { at: 1, value: 5 },
    { at: 99, value: 6 },
    { at: -1, value: 7 },
  ]
  const values = onGrid(
    { ...seconds, starts: seconds.starts.slice(0, 3) },
    rows,
    ({ at }) => at,
    ({ value }) => value,
  )
  t.same(values, [null, 5, null], 'a step without a row is blank, and what lies beside the grid is left out')
  t.same(shownSpan([], { fromUs: 0, toUs: 9 }), { fromUs: 0, toUs: 9 })
  const wanted = [
    { fromUs: 2, toUs: 3 },
    { fromUs: 5, toUs: 99 },
  ]
  t.same(shownSpan(wanted, { fromUs: 0, toUs: 9 }), { fromUs: 2, toUs: 9 })
  t.end()
})

const chart = (points: readonly (readonly [number, number | null])[]): Chart => ({
  title: 'Price',
  unit: 'USD',
  x: { from: 0, to: 4, ticks: [{ at: 2, label: '<two>' }] },
  layers: [{ shape: 'line', name: 'mid', tone: 1, points }],
})

t.test('a gap is left blank', t => {
  const html = chartHtml(
    chart([
      [0, 1],
      [1, 2],
      [2, null],
      [3, 3],
      [4, 3],
    ]),
  )
  const [, path = ''] = / d="([^"]+)"/.exec(html) ?? []
  t.equal(path.split('M').length - 1, 2, 'two lines, with nothing between them')
  t.notMatch(path, /NaN/)
  t.match(html, /&lt;two&gt;/, 'texts are shown as texts')
  const alone = chartHtml(
    chart([
      [0, null],
      [1, 2],
      [2, null],
    ]),
  )
  t.match(alone, /d="M[\d.]+ [\d.]+h0"/, 'a value between two blanks is a dot')
  t.end()
})

t.test('what is not there is said, not drawn empty', t => {
  const blank = chart([
    [0, null],
    [1, null],
  ])
  t.ok(isBlank(blank))
  t.match(chartHtml(blank), /<figure>.*Price.*not there/)
  t.notMatch(chartHtml(blank), /<svg/)
  t.match(sectionHtml({ title: 'Options', charts: [], absent: 'no <tickers>' }), /not there: no &lt;tickers&gt;/)
  t.end()
})

t.test('bands, bars below zero and dots', t => {
  const layers: Chart['layers'] = [
    {
      shape: 'band',
      name: 'traded',
      tone: 1,
      points: [
        [0, [1, 2]],
        [1, [2, 3]],
        [2, null],
        [3, [1, 1]],
      ],
    },
    {
      shape: 'bars',
      name: 'sold',
      tone: 2,
      width: 1,
      points: [
        [0, -3],
        [1, null],
        [2, 0],
      ],
    },
    { shape: 'dots', name: 'large', tone: 3, points: [[1, 2, 'said "so"']] },
  ]
  const html = chartHtml({ ...chart([]), layers })
  const paths = [...html.matchAll(/<path class="(\w+) tone-\d" d="([^"]+)"/g)].map(([, name, d = '']) => [
    name,
    d.split('M').length - 1,
  ])
  t.same(paths, [
    ['band', 2],
    ['bars', 1],
  ])
  t.match(html, /<title>said &quot;so&quot;<\/title>/)
  t.same(
    [...html.matchAll(/key-(\w+)/g)].map(([, key]) => key),
    ['band', 'bars', 'dots'],
    'each is in the legend',
  )
  t.end()
})

t.test('the smile is of the expiries with the largest open interest, out of the money', t => {
  const option = (expiry: number, strike: number, interest: number, more: Partial<OptionRow> = {}): OptionRow => ({
    exchange: 'deribit',
    pair: 'BTC',
    currency: 'BTC',
    expiry_ms: DAY_MS + expiry * 24 * HOUR_MS,
    days: expiry,
    strike,
    moneyness: Math.log(strike / 100),
    is_out: true,
    mark_iv: 40 + strike,
    interest_usd: interest,
    ...more,
  })
  const options = [1, 2, 3, 4, 5].flatMap(expiry =>
    [90, 100, 110].map(strike => option(expiry, strike, expiry === 2 ? 1 : 10 * expiry)),
  )
  options.push(option(5, 105, 0, { is_out: false }), option(5, 300, 0), option(5, 95, 0, { mark_iv: null }))
  const money = [{ exchange: 'deribit', pair: 'BTC', currency: 'BTC', days: 5, iv: 41 }]
  const [section] = chainSections(options, money, [], DAY_MS * 1000)
  const [smile, term] = section?.charts ?? []
  t.same(
    smile?.layers.map(({ name }) => name),
    ['2026-11-23', '2026-11-25', '2026-11-26', '2026-11-27'],
  )
  const last = smile?.layers.at(-1)
  t.same(last?.points, [
    [90, 130],
    [95, null],
    [100, 140],
    [110, 150],
  ])
  t.equal(term && isBlank(term), false)
  t.same(chainSections([], [], [], 0), [])
  t.end()
})
