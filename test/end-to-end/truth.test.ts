/** Ten of the disturbances of `npm run long truth`: what is told of each, beside what was done. */
import t from 'tap'
import { campaign, shortForm } from '../fixtures/truth/campaign.js'

t.setTimeout(300_000)

t.test('what is missing is told, and nothing else', { timeout: 300_000 }, async t => {
  const outcomes = await campaign(t, shortForm, 10, () => undefined)
  for (const { name, wrong } of outcomes) t.same(wrong, [], name)
})
