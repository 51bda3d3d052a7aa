import t from 'tap'
import type { FamilyCount } from '../../recorder/frame-router.js'
import { ReceiveLag } from '../../recorder/receive-lag.js'

t.test('how old frames are when they come, each frame that is looked at once', t => {
  const lag = new ReceiveLag(frame => (frame.length === 0 ? undefined : Number(frame)))
  const counts = new Map<string, Pick<FamilyCount, 'sample'>>()
  const comes = (family: string, made: string, recvMs: number) => {
    counts.set(family, { sample: { frame: Buffer.from(made), recvUs: 1000 * recvMs } })
    lag.look(counts)
  }
  comes('quote', '1000', 1030)
  lag.look(counts)
  comes('quote', '5000', 4000)
  comes('quote', '6000', 66_000)
  comes('sent', '', 1000)
  const told = lag.of('quote')
  t.equal(told.lag_ms, 60_000)
  t.equal(told.lag?.sum, 60.03)
  t.match(told.lag?.buckets, { '0.001': 1, '0.025': 1, '0.05': 2, '10': 2, '+Inf': 3 })
  t.same(lag.of('sent'), {}, 'its frames say no time')
  t.end()
})
