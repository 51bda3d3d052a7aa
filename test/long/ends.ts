/** Every usual end of `record` and `run` under 1,000 frames/s: 50 of each, or `--each N`. */
import { parseArgs } from 'node:util'
import t from 'tap'
import type { EndTotals } from '../fixtures/end-campaign.js'
import { checkEnds, endTable } from '../fixtures/orderly-check.js'

t.setTimeout(4 * 3600_000)

const WITHIN_MS = 5000
const { values } = parseArgs({
  options: { each: { type: 'string', default: '50' }, minutes: { type: 'string' } },
  allowPositionals: true,
})

const totals: EndTotals[] = []
for (const command of ['record', 'run'] as const) {
  t.test(`${command} ends in order`, async t => {
    totals.push(...(await checkEnds(t, command, Number(values.each), WITHIN_MS)))
  })
}
t.test('all in one table', t => {
  for (const line of endTable(totals)) t.comment(line)
  t.ok(totals.length > 0)
  t.end()
})
