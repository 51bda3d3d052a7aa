import t from 'tap'
import { sealSegment, rawLines, START_MS } from '../../compactor/fixtures/segments.js'
import { jsonAsked, openSession } from '../../fixtures/open-session.js'

const STRIKE = 3000

const ticker = (pair: string, side: 'C' | 'P', index: number, iv: number) => {
  const name = `${pair}-25DEC26-${STRIKE}-${side}`
  const data = {
    timestamp: START_MS,
    instrument_name: name,
    state: 'open',
    mark_price: 1,
    mark_iv: iv,
    underlying_price: index,
    greeks: { delta: 0.5 },
    open_interest: iv,
  }
  return JSON.stringify({
    jsonrpc: '2.0',
    method: 'subscription',
    params: { channel: `ticker.${name}.100ms`, data },
  })
}

t.test('options of two underlyings with one expiry and strike, settled in USDC, were merged into one row', async t => {
  const dataDir = t.testdir()
  const frames = [
    ticker('ETH_USDC', 'C', 2900, 60),
    ticker('PAXG_USDC', 'C', 4100, 15),
    ticker('PAXG_USDC', 'P', 4100, 16),
    ticker('ETH_USDC', 'P', 2900, 61),
  ]
  sealSegment(dataDir, 'ticker', rawLines(frames))
  const session = await openSession(t, dataDir)
  const ask = (sql: string) => jsonAsked(session, sql)
  const at = new Date(START_MS + 1000).toISOString()
  t.same(
    await ask(`SELECT pair, strike, underlying_price, call_mark_iv, put_mark_iv FROM option_chain('${at}', 'USDC')`),
    [
      { pair: 'ETH_USDC', strike: STRIKE, underlying_price: 2900, call_mark_iv: 60, put_mark_iv: 61 },
      { pair: 'PAXG_USDC', strike: STRIKE, underlying_price: 4100, call_mark_iv: 15, put_mark_iv: 16 },
    ],
  )
  t.same(await ask(`SELECT pair, strike, side, mark_iv FROM iv_surface('${at}', 'USDC')`), [
    { pair: 'ETH_USDC', strike: STRIKE, side: 'call', mark_iv: 60 },
    { pair: 'PAXG_USDC', strike: STRIKE, side: 'put', mark_iv: 16 },
  ])
})
