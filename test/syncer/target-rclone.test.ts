import t from 'tap'
import { targetSuite } from '../fixtures/target-suite.js'

await targetSuite(t, 'rclone')
