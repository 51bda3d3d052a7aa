import t from 'tap'
import { placeSuite } from '../fixtures/place-suite.js'

// Mostly waits.

t.setTimeout(240_000)

await placeSuite(t, 'ssh')
