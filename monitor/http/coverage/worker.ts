/** `node worker.js DATADIR DATE…`: the account of each day as a line of JSON, in a process of its own at low priority. */
import { lowerPriority } from '../../../platform/low-priority.js'

// Recording comes first on a small machine, while all that measures is loaded, too.
lowerPriority()
const [{ dayOfAccount }, { dayOf, measureAccount }, { exchangeNamed }] = await Promise.all([
  import('../../../coverage/account/day.js'),
  import('../../../coverage/account/measure.js'),
  import('../../../exchanges/registry.js'),
])
const [dataDir = '', ...dates] = process.argv.slice(2)
for (const date of dates) {
  const account = await measureAccount(dataDir, dayOf(date))
  process.stdout.write(`${JSON.stringify(dayOfAccount(date, account, exchangeNamed, Date.now()))}\n`)
}
