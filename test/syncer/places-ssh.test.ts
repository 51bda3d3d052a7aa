import t from 'tap'
import { targetCampaign } from '../fixtures/target-campaign.js'

// Mostly waits.

t.test('disks that go away and come back, a short time of it', async t => {
  const found = await targetCampaign(t, 'ssh', { passes: 8, seed: 1 })
  if (found) t.comment(JSON.stringify(found))
})
