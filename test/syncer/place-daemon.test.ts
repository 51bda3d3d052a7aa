import t from 'tap'
import { placeSuite } from '../fixtures/place-suite.js'

// Mostly waits.

await placeSuite(t, 'daemon')
