import t from 'tap'
import { followAtScale } from '../fixtures/scale-run.js'

t.setTimeout(10 * 60_000)

t.test('6,000 instruments and 15,000 channels are taken within the limits, and follow what comes and goes', t =>
  followAtScale(t, { instruments: 6000, channels: 15_000, channelsPerConnection: 1500 }),
)
