import pino from 'pino'
import t from 'tap'
import type { Recording } from '../../../exchanges/adapter.js'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import { HttpRpc } from '../../../exchanges/deribit/http-rpc.js'
import { createCreditPools } from '../../../exchanges/deribit/rpc.js'
import { TradeKeeper } from '../../../exchanges/deribit/trade-keeper.js'

t.test('told to stop while it read what was recorded before, it waited for ever for a connection', async t => {
  const stop = new AbortController()
  const none = () => Promise.resolve()
  const recording: Recording = {
    take: () => t.fail('nothing is asked for'),
    journal: () => undefined,
    nowUs: () => 0,
    async *earlier() {
      stop.abort('SIGTERM')
      yield* []
    },
    polled: { load: none, answeredMs: () => undefined, note: () => undefined, keepOnly: () => undefined, save: none },
  }
  const { backfill } = deribitConfig.parse({ name: 'deribit' })
  const rpc = new HttpRpc('ws://127.0.0.1:1/ws/api/v2', createCreditPools())
  const keeper = new TradeKeeper(rpc, backfill, pino({ level: 'silent' }))
  const ended = await Promise.race([
    keeper.run(recording, stop.signal).then(() => true),
    new Promise(resolve => setTimeout(resolve, 10_000, false).unref()),
  ])
  t.ok(ended)
})
