import t from 'tap'
import { placeSuite } from '../fixtures/place-suite.js'

await placeSuite(t, 'daemon')
