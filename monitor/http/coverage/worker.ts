/** `node worker.js DATADIR DATE`: the account of one day as JSON, in a process of its own at low priority. */
import { dayOfAccount } from '../../../coverage/account/day.js'
import { dayOf, measureAccount } from '../../../coverage/account/measure.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { lowerPriority } from '../../../platform/low-priority.js'

lowerPriority()
const [dataDir = '', date = ''] = process.argv.slice(2)
const account = await measureAccount(dataDir, dayOf(date))
process.stdout.write(JSON.stringify(dayOfAccount(date, account, exchangeNamed, Date.now())))
