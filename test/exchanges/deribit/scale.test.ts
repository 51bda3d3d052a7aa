import t from 'tap'
import { followAtScale } from '../../fixtures/scale-run.js'

// Mostly waits.

// The same with 6,000 instruments: npm run long scale.
t.test('channels are taken within the limits, and follow what comes and goes', t =>
  followAtScale(t, { instruments: 1500, channels: 3750, channelsPerConnection: 375 }),
)
