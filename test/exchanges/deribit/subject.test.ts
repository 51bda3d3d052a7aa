import t from 'tap'
import { isAbout, subjectOf } from '../../../exchanges/deribit/names.js'

const brings = (channel: string, name: string) => {
  const subject = subjectOf(channel)
  return subject !== undefined && isAbout(subject, name)
}

t.test('what is quoted in USDC was taken for what a channel of USD brings', t => {
  t.notOk(brings('trades.spot.USD.100ms', 'BTC_USDC'))
  t.ok(brings('trades.spot.USD.100ms', 'BTC_USD'))
  t.ok(brings('trades.option.USDC.100ms', 'ETH_USDC-25DEC26-3000-C'))
  t.ok(brings('trades.option.BTC.100ms', 'BTC-25DEC26-90000-C'))
  t.notOk(brings('trades.option.BTC.100ms', 'BTC_USDC-25DEC26-90000-C'))
  t.end()
})
