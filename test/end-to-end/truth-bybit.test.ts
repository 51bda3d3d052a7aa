/** Disturbances of `npm run long truth` at Bybit: what is told of each, beside what was done. */
import t from 'tap'
import { campaign, disturbancesOf } from '../fixtures/truth/campaign.js'
import { worlds } from '../fixtures/truth/worlds.js'

t.setTimeout(300_000)

t.test('what is missing is told, and nothing else', { timeout: 300_000 }, async t => {
  const disturbances = disturbancesOf(worlds.bybit, true)
  t.ok(disturbances.length > 5, `${disturbances.length} of them`)
  const outcomes = await campaign(t, worlds.bybit, disturbances, 11, () => undefined)
  t.equal(outcomes.length, disturbances.length)
  for (const { name, wrong } of outcomes) t.same(wrong, [], name)
})
