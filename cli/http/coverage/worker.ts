/** `node worker.js DATADIR DATE`: the coverage of one day as JSON, in a process of its own at low priority. */
import { lowerPriority } from '../../../platform/low-priority.js'
import { measureDay } from './measure-day.js'

lowerPriority()
const [dataDir = '', date = ''] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await measureDay(dataDir, date, Date.now())))
