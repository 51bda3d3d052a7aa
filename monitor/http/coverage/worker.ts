/** `node worker.js DATADIR DATE`: the coverage of one day as JSON, in a process of its own at low priority. */
import { EdgeError } from '../../../platform/edge-error.js'
import { lowerPriority } from '../../../platform/low-priority.js'
import type { Coverage } from '../../../coverage/assess.js'
import { dayWindow, measureCoverage } from '../../../coverage/measure.js'
import { hoursOf, type CoverageDay } from './hours.js'

lowerPriority()
const [dataDir = '', date = ''] = process.argv.slice(2)
const day: CoverageDay = { date, atMs: Date.now(), hours: hoursOf(await linesOf(dataDir, date)) }
process.stdout.write(JSON.stringify(day))

async function linesOf(root: string, date: string): Promise<Coverage['lines']> {
  try {
    return (await measureCoverage(root, { window: dayWindow(date), by: 'hour' })).lines
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'COVERAGE_NO_PARQUET') return []
    throw error
  }
}
