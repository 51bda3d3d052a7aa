import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { CoverageDay, EventOfDay } from '../../../coverage/account/day.js'
import { accountHtml } from '../../../reader/report/account-html.js'
import { timeAxis, valueAxis } from '../../../reader/report/axis.js'
import { chartHtml, type Chart, type Layer } from '../../../reader/report/chart.js'
import { gridOf, onGrid } from '../../../reader/report/grid.js'
import { reportHtml } from '../../../reader/report/page.js'
import { element, escaped, place } from '../../../reader/report/svg.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_MS = 3_600_000
const DAY_MS = Date.parse('2026-11-22')
/** Numbers as there are in markets: four digits, anywhere. */
const value = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -9, max: 9 })).map(([digits, power]) => digits * 10 ** power) // prettier-ignore
const values = fc.array(value, { maxLength: 20 })

t.test('an axis goes over all of its values, to round numbers that rise in steps and differ as they are told', t => {
  holds(
    t,
    fc.property(values, fc.boolean(), (values, fromZero) => {
      const { from, to, ticks } = valueAxis(values, fromZero)
      assert.ok(from < to && ticks.length >= 2 && ticks.length <= 6, `${ticks.length} marks`)
      const step = ((to - from) / (ticks.length - 1)) * (1 + 1e-9)
      for (const value of fromZero ? [...values, 0] : values)
        assert.ok(value >= from - step / 50 && value <= to + step / 50, `${value} in ${from} to ${to}`)
      assert.ok(ticks[0]?.at === from)
      assert.ok(ticks.at(-1)?.at === to)
      for (const [at, tick] of ticks.entries()) if (at > 0) assert.ok(tick.at > (ticks[at - 1]?.at ?? Infinity))
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('labels of an axis differ from each other, so that nobody reads two heights as one', t => {
  holds(
    t,
    fc.property(fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 10 }), values => {
      const labels = valueAxis(values).ticks.map(({ label }) => label)
      const [least, greatest] = [Math.min(...values), Math.max(...values)]
      // Steps beyond what ten digits tell apart are not to be seen.
      if (greatest - least > greatest / 1e4) assert.equal(new Set(labels).size, labels.length, labels.join(' '))
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('times of a day stand within it, in order, a few of them, and midnight is told as 24:00 at its end', t => {
  holds(
    t,
    fc.property(fc.nat({ max: 86_399 }), fc.integer({ min: 1, max: 86_400 }), (fromS, lengthS) => {
      const fromMs = DAY_MS + fromS * 1000
      const toMs = Math.min(fromMs + lengthS * 1000, DAY_MS + 24 * HOUR_MS)
      const { ticks } = timeAxis(fromMs, toMs)
      assert.ok(ticks.length <= 6)
      for (const [at, tick] of ticks.entries()) {
        assert.ok(tick.at >= fromMs && tick.at <= toMs && (at === 0 || tick.at > (ticks[at - 1]?.at ?? 0)))
        const wanted = tick.at === DAY_MS + 24 * HOUR_MS ? '24:00' : new Date(tick.at).toISOString().slice(11, 11 + tick.label.length) // prettier-ignore
        assert.equal(tick.label, wanted)
      }
    }),
  )
  t.end()
})

t.test('a grid covers what was asked for with whole steps that a chart can show, and each moment has one place', t => {
  holds(
    t,
    fc.property(fc.nat({ max: 86_400_000 }), fc.integer({ min: 1, max: 3 * 86_400_000 }), (fromMs, lengthMs) => {
      const span = { fromUs: (DAY_MS + fromMs) * 1000, toUs: (DAY_MS + fromMs + lengthMs) * 1000 }
      const grid = gridOf(span)
      assert.ok(grid.fromMs * 1000 <= span.fromUs && grid.toMs * 1000 >= span.toUs)
      assert.ok(grid.fromMs * 1000 > span.fromUs - grid.stepMs * 1000, 'no step too many before it')
      assert.ok(grid.starts.length <= 301)
      assert.equal(grid.starts.length * grid.stepMs, grid.toMs - grid.fromMs)
      const places = grid.starts.map((_, at) => at)
      assert.deepEqual(
        onGrid(
          grid,
          places,
          at => at,
          at => at,
        ),
        places,
      )
      assert.deepEqual(
        onGrid(
          grid,
          [-1, grid.starts.length],
          at => at,
          () => 1,
        ),
        grid.starts.map(() => null),
      )
    }),
  )
  t.end()
})

const layer: fc.Arbitrary<Layer> = fc.oneof(
  fc.array(fc.option(value)).map((list): Layer => ({ shape: 'line', name: 'l', tone: 1, points: list.map((y, x) => [x, y]) })), // prettier-ignore
  fc.array(fc.option(value)).map((list): Layer => ({ shape: 'bars', name: 'b', tone: 2, width: 1, points: list.map((y, x) => [x, y]) })), // prettier-ignore
  fc.array(value).map((list): Layer => ({ shape: 'dots', name: 'd', tone: 3, points: list.map((y, x) => [x, y, '<&"']) })), // prettier-ignore
  fc.array(fc.option(fc.tuple(value, value))).map((list): Layer => ({ shape: 'band', name: 'n', tone: 4, points: list.map((range, x) => [x, range && [Math.min(...range), Math.max(...range)]]) })), // prettier-ignore
)

t.test('whatever is drawn, a drawing holds numbers alone, and lies where it can be seen', t => {
  holds(
    t,
    fc.property(fc.array(layer, { maxLength: 3 }), fc.boolean(), (layers, fromZero) => {
      const chart: Chart = { title: 'T', unit: 'U', x: { from: 0, to: 10, ticks: [] }, layers, fromZero }
      const html = chartHtml(chart)
      assert.ok(!/NaN|undefined|Infinity|null/.test(html), html)
      for (const [, y] of html.matchAll(/ (-?[\d.]+)(?=[LM"z])/g)) assert.ok(Number(y) >= 0 && Number(y) <= 190, `at ${y}`) // prettier-ignore
      assert.ok(!html.includes('<&"'), 'texts are escaped')
    }),
    { numRuns: 300 },
  )
  t.end()
})

/** What a browser makes of an escaped text. */
const unescaped = (text: string) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')

t.test('a text of others is a text in HTML, whatever it holds', t => {
  holds(
    t,
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '/', ';', 'ü', '\n') }), text => {
      assert.ok(!/[<>"]/.test(escaped(text)))
      assert.equal(unescaped(escaped(text)), text)
      const [, own = ''] = /^<rect title="([^"]*)"\/>$/.exec(element('rect', { title: text })) ?? []
      assert.equal(unescaped(own), text)
    }),
  )
  t.same([place(0.04), place(-0.04), place(12.36), place(1e6)], ['0', '0', '12.4', '1000000'])
  t.equal(element('a', { x: 1 }, 'b'), '<a x="1">b</a>')
  t.end()
})

const event = (hour: number, seconds: number, more: Partial<EventOfDay> = {}): EventOfDay => ({
  ...{ fromMs: DAY_MS + hour * HOUR_MS, toMs: DAY_MS + hour * HOUR_MS + seconds * 1000, seconds, state: 'missing' },
  ...{ cause: 'the <b>connection</b> was lost', whose: 'a & b', families: [], instruments: [], instrumentCount: 0 },
  ...{ lasts: false, couldHeal: false, ...more },
})
const day = (more: Partial<CoverageDay> = {}): CoverageDay => ({
  ...{ date: '2026-11-22', atMs: DAY_MS, sentence: 'S', isComplete: true, isEmpty: false, missingSeconds: 0, count: 0 },
  ...{ events: [], healedCount: 0, healedEvents: [], hours: [], kinds: [], families: {}, ...more },
})

t.test('the account shows each hour of each kind as full as it is, and every gap where it lies', t => {
  const hour = (exchange: string, kind: string, at: number, share?: number) => ({ exchange, kind, hour: at, channels: 3, ...(share !== undefined && { share }) }) // prettier-ignore
  const shares = [[1, 4], [0.9995, 4], [0.995, 3], [0.95, 2], [0.6, 1], [0.2, 0], [0, 0]] as const // prettier-ignore
  const html = accountHtml(day({ hours: shares.map(([share], at) => hour('deribit', 'option', at, share)) }))
  const cells = [...html.matchAll(/<td class="share-(\w+)"/g)].map(([, of]) => of)
  t.same(cells.slice(0, 8), [...shares.map(([, step]) => String(step)), 'none'])
  t.equal(cells.length, 24)
  const several = accountHtml(day({ hours: [hour('deribit', 'none', 3), hour('okx', 'option', 3, 1)] }))
  t.match(several, /deribit others/)
  t.match(several, /class="share-unknown" title="03:00, deribit others/)
  const gaps = accountHtml(day({ isComplete: false, count: 30, events: [event(6, 3600), event(23.99, 7200), event(-2, 60)] })) // prettier-ignore
  const boxes = [...gaps.matchAll(/<rect x="([\d.]+)" y="2" width="([\d.]+)" height="14" class="gap"/g)]
  t.equal(boxes.length, 3)
  for (const [, x, width] of boxes) t.ok(Number(x) >= 0 && Number(x) + Number(width) <= 401, `${x} + ${width}`)
  t.same([boxes[0]?.[1], boxes[0]?.[2]], ['100', '16.7'], 'an hour at six')
  t.match(gaps, /27 shorter ones/)
  t.notMatch(gaps, /<b>connection/)
  t.match(accountHtml(day({ isEmpty: true })), /class="sentence none"/)
  t.notMatch(accountHtml(day({ isEmpty: true })), /<svg/)
  t.end()
})

t.test('the page lets nothing be fetched and no script run, whatever a text says', t => {
  const html = reportHtml({
    ...{ date: '2026-11-22', atMs: DAY_MS, exchanges: ['<script>'], day: day({ sentence: '"><script>x</script>' }) },
    sections: [{ title: '<img src=x>', charts: [], absent: '<i>' }],
  })
  t.match(html, /Content-Security-Policy" content="default-src 'none'/)
  t.notMatch(html, /<script|<img|<i>/)
  t.end()
})
