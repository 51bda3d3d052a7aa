/** `node worker.js DATADIR DATE…`: the account of each day as a line of JSON, in a process of its own at low priority. */
import { dayOfAccount } from '../../../coverage/account/day.js'
import { dayOf, measureAccount } from '../../../coverage/account/measure.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { lowerPriority } from '../../../platform/low-priority.js'

lowerPriority()
const [dataDir = '', ...dates] = process.argv.slice(2)
for (const date of dates) {
  const account = await measureAccount(dataDir, dayOf(date))
  process.stdout.write(`${JSON.stringify(dayOfAccount(date, account, exchangeNamed, Date.now()))}\n`)
}
