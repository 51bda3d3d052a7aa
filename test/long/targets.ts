/**
 * 200 passes with retention at each kind of target, while the disk there is not mounted, is another one, an older state of
 * itself, damaged, or has links planted in it. `EDGETAPE_SEED` chooses what happens when.
 */
import t from 'tap'
import { targetCampaign } from '../fixtures/target-campaign.js'

const PASSES = 200
const SEED = Number(process.env['EDGETAPE_SEED'] ?? 20_261_120)

t.setTimeout(60 * 60_000)
// Connections take most of the time.
t.jobs = 3

for (const kind of ['folder', 'daemon', 'ssh'] as const) {
  t.test(`${kind}: ${PASSES} passes (EDGETAPE_SEED=${SEED})`, async t => {
    const found = await targetCampaign(t, kind, { passes: PASSES, seed: SEED })
    if (!found) return
    t.comment(JSON.stringify(found))
    t.ok(found.passes >= PASSES)
    t.ok(found.retired > PASSES, 'retention was at work')
  })
}
