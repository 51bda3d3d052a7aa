/** When a connection is believed to be dead: by what it did not say while we listened, and by nothing else. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { LivenessLimits } from '../../exchanges/adapter.js'
import { FrameRate } from '../../recorder/connection/frame-rate.js'
import { Liveness } from '../../recorder/connection/liveness.js'
import { holds } from '../fixtures/holds.js'

const LIMITS: LivenessLimits = { probeAfterMs: 10_000, deadAfterMs: 20_000 }

/** A connection that is looked at each second; `at` is the second of its life. */
function watched(limits = LIMITS) {
  const liveness = new Liveness(limits, 0)
  let nowMs = 0
  let bytes = 0
  return {
    liveness,
    look: (given: { afterMs?: number; paused?: boolean; bytes?: number; heard?: boolean } = {}) => {
      nowMs += given.afterMs ?? 1000
      bytes += given.bytes ?? 0
      if (given.heard) liveness.heard()
      return liveness.look(nowMs, given.paused ?? false, bytes)
    },
  }
}

/** What each look says, of so many alike. */
const looks = (count: number, look: () => string) => Array.from({ length: count }, look)

t.test('silence is asked once whether anybody is there, then is death', t => {
  const { look } = watched()
  const said = looks(21, () => look())
  t.same(said.indexOf('probe'), 9, 'ten seconds of silence')
  t.equal(said.filter(word => word === 'probe').length, 1)
  t.equal(said.indexOf('dead'), 19)
  t.end()
})

t.test('an answer begins it anew, and the next silence is asked again', t => {
  const { look } = watched()
  looks(12, () => look())
  look({ heard: true })
  const said = looks(20, () => look())
  t.equal(said.indexOf('probe'), 8, 'ten seconds behind the answer, which came just before a look')
  t.equal(said.indexOf('dead'), 18)
  t.end()
})

t.test('an exchange that is not to be asked is only waited for', t => {
  const { look } = watched({ probeAfterMs: undefined, deadAfterMs: 5000 })
  t.same(looks(6, () => look()), ['alive', 'alive', 'alive', 'alive', 'dead', 'dead']) // prettier-ignore
  t.end()
})

t.test('what we did not listen to is no silence: a pause in reading, and a process that stood still', t => {
  for (const deaf of [{ paused: true }, { afterMs: 60_000 }, { afterMs: 3001 }]) {
    const { look, liveness } = watched()
    looks(15, () => look())
    const before = liveness.silentMs
    t.same(new Set(looks(60, () => look(deaf))), new Set(['alive']), JSON.stringify(deaf))
    t.equal(liveness.silentMs, before)
    t.equal(looks(5, () => look()).at(-1), 'dead', 'what was silent before counts on')
  }
  t.end()
})

t.test('a large frame on its way is life, a trickle is not', t => {
  const large = watched()
  t.same(new Set(looks(100, () => large.look({ bytes: 4096 }))), new Set(['alive']))
  const trickle = watched()
  t.equal(looks(20, () => trickle.look({ bytes: 4095 })).at(-1), 'dead')
  t.end()
})

t.test('whatever happens, it is dead if, and only if, it was silent for so long while we listened', t => {
  const step = fc.record({
    afterMs: fc.constantFrom(0, 900, 1000, 1100, 3000, 5000),
    paused: fc.boolean(),
    bytes: fc.constantFrom(0, 100, 5000),
    heard: fc.constantFrom(false, false, false, true),
  })
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const { look } = watched()
      let silentMs = 0
      let probes = 0
      for (const { afterMs, paused, bytes, heard } of steps) {
        const said = look({ afterMs, paused, bytes, heard })
        if (heard) silentMs = 0
        const isDeaf = paused || afterMs > 3000
        if (!isDeaf) silentMs += afterMs
        if (!isDeaf && bytes >= 4096) silentMs = 0
        if (silentMs < 10_000) probes = 0
        if (said === 'probe') probes++
        assert.ok(probes <= 1, 'asked once')
        if (isDeaf) assert.equal(said, 'alive')
        else assert.equal(said === 'dead', silentMs >= 20_000)
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('frames a second are those of the last ten looks, and never of no time', t => {
  const rate = new FrameRate()
  t.equal(rate.at(50, 1000), 0, 'one moment is no time')
  t.equal(rate.at(150, 1000), 0)
  t.equal(rate.at(350, 3000), 150)
  const steady = new FrameRate()
  const rates = Array.from({ length: 40 }, (_, second) => steady.at(second < 20 ? 100 * second : 2000, 1000 * second))
  t.same([rates[1], rates[19]], [100, 100])
  t.ok((rates[25] ?? 0) > 0 && (rates[25] ?? 0) < 100)
  t.equal(rates[39], 0, 'what came before is past')
  t.end()
})
