import t from 'tap'
import { OutageAccount } from '../../recorder/connection/outage-account.js'
import { Flows } from '../../recorder/connection/family-flow.js'
import { Rhythm } from '../../recorder/connection/rhythm.js'

t.test('channels that were taken anew when the connection died were no part of its outage', t => {
  let channels: ReadonlySet<string> = new Set(['quote.A', 'trades.A'])
  const account = new OutageAccount(
    { conn: 'd1', group: 0, heardUs: () => 0, channels: () => channels },
    new Flows(() => new Rhythm()),
    channel => channel.split('.')[0] ?? '',
  )
  account.up(10)
  account.silent('quote', 20, 'silent')
  account.splitSilence('quote', 30)
  channels = new Set(['trades.A'])
  account.down(25, 'cut', channels)
  t.same([...account.families].sort(), ['quote', 'trades'])
  t.notOk(account.isSilent('quote'))
  t.end()
})
