import t from 'tap'
import { targetSuite } from '../fixtures/target-suite.js'

// Mostly waits.

await targetSuite(t, 'daemon')
