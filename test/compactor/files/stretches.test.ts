import t from 'tap'
import { stretchesOf } from '../../../compactor/files/stretches.js'

const group = (...names: [rank: number, rows: number][]) => ({
  names: names.map(([rank, rows]) => ({ rank, name: `N${rank}`, rows })),
  rows: names.reduce((sum, [, rows]) => sum + rows, 0),
})

t.test('a group has the rows of its names, in as few stretches as there are', t => {
  const [options, futures, none] = [group([2, 5], [3, 1], [5, 2]), group([1, 10], [4, 7]), group()]
  const stretches = stretchesOf([options, futures, none])
  t.strictSame(
    [options, futures, none].map(each => stretches.get(each)),
    [
      [
        { from: 10, to: 16 },
        { from: 23, to: 25 },
      ],
      [
        { from: 0, to: 10 },
        { from: 16, to: 23 },
      ],
      [],
    ],
  )
  t.end()
})

t.test('a single group has all rows, also where they have no names', t => {
  const all = { names: [], rows: 7 }
  t.strictSame(stretchesOf([all]).get(all), [{ from: 0, to: 7 }])
  t.end()
})
