import t from 'tap'
import { targetSuite } from '../fixtures/target-suite.js'

// Mostly waits.

t.setTimeout(240_000)

await targetSuite(t, 'ssh')
