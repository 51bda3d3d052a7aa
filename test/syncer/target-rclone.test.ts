import t from 'tap'
import { targetSuite } from '../fixtures/target-suite.js'

// It starts rclone hundreds of times, and should not be left to the end.
t.setTimeout(240_000)

await targetSuite(t, 'rclone')
