import t from 'tap'
import { assignChannels } from '../../recorder/assign-channels.js'
import { MAX_DELAY_MS, reconnectDelayMs } from '../../platform/backoff.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'

t.test('reconnect delays grow, are capped and jittered', t => {
  t.equal(reconnectDelayMs(0, 1), 1000)
  t.equal(reconnectDelayMs(3, 1), 8000)
  t.equal(reconnectDelayMs(3, 0.5), 4000)
  t.equal(reconnectDelayMs(1e6, 1), MAX_DELAY_MS)
  t.end()
})

t.test('channels are spread by traffic, stay where they are, and respect the cap', t => {
  const plan = new Map([['heavy', 10], ...Array.from({ length: 9 }, (_, index): [string, number] => [`c${index}`, 1])])
  const first = assignChannels(plan, [], { channelsPerConnection: 5, connectionsMax: 20, redundancy: 1 })
  t.equal(first.length, 2)
  t.ok(first.every(set => set.size <= 5))
  t.same(new Set(first.flatMap(set => [...set])), new Set(plan.keys()))
  const grown = new Map([...plan, ['new', 1]])
  grown.delete('c3')
  const second = assignChannels(grown, first, { channelsPerConnection: 5, connectionsMax: 20, redundancy: 1 })
  for (const [index, set] of first.entries())
    for (const channel of set) if (channel !== 'c3') t.ok(second[index]?.has(channel), `${channel} stays`)
  t.ok(second.some(set => set.has('new')))
  t.notOk(second.some(set => set.has('c3')))
  t.end()
})

t.test('redundancy 2 puts every channel on two connections', t => {
  const plan = new Map(Array.from({ length: 8 }, (_, index): [string, number] => [`c${index}`, 1]))
  const sets = assignChannels(plan, [], { channelsPerConnection: 4, connectionsMax: 20, redundancy: 2 })
  t.equal(sets.length, 4)
  for (const channel of plan.keys()) t.equal(sets.filter(set => set.has(channel)).length, 2)
  const again = assignChannels(plan, sets, { channelsPerConnection: 4, connectionsMax: 20, redundancy: 2 })
  t.same(again, sets, 'nothing moves without a reason')
  t.end()
})

t.test('receive stamps follow the wall clock only when it was set', t => {
  let wallUs = 1_700_000_000_000_000
  let monotonicUs = 5_000_000
  const clock = new ReceiveClock({ wallUs: () => wallUs, monotonicUs: () => monotonicUs })
  t.equal(clock.nowUs(), wallUs)
  wallUs += 1_000_000
  monotonicUs += 1_000_000
  t.equal(clock.checkForStep(), 0)
  const before = clock.nowUs()
  wallUs -= 7_200_000_000
  t.equal(clock.nowUs(), before, 'a step does not show before it is checked for')
  t.equal(clock.checkForStep(), -7_200_000_000)
  t.equal(clock.nowUs(), wallUs)
  t.equal(clock.checkForStep(), 0, 'a step is reported once')
  wallUs += 60_000_000
  t.equal(clock.checkForStep(), 60_000_000)
  t.equal(clock.nowUs(), wallUs)
  t.end()
})

t.test('receive stamps are right to some µs, though one look at the wall clock is up to 1 ms short', t => {
  let trueUs = 1_700_000_000_000_900
  const clock = new ReceiveClock({
    wallUs: () => Math.floor(trueUs / 1000) * 1000,
    monotonicUs: () => trueUs++ - 1_700_000_000_000_000,
  })
  const shortUs = trueUs - clock.nowUs()
  t.ok(shortUs >= 0 && shortUs < 5, `${shortUs} µs short`)
  t.end()
})

t.test('one late look at the clock was taken for a step of the wall clock', t => {
  let lateUs = 0
  const clock = new ReceiveClock({
    wallUs: () => 1_700_000_000_000_000,
    // The machine stood still between the two, once.
    monotonicUs: () => 5_000_000 + lateUs - (lateUs = 0),
  })
  const before = clock.nowUs()
  lateUs = 900_000
  t.equal(clock.checkForStep(), 0)
  t.equal(clock.nowUs(), before)
  t.end()
})

t.test('connections are capped: beyond it each takes more channels', t => {
  const plan = new Map(Array.from({ length: 100 }, (_, index) => [`c${index}`, 1 + (index % 7)]))
  const sets = assignChannels(plan, [], { channelsPerConnection: 5, connectionsMax: 7, redundancy: 2 })
  t.equal(sets.length, 6, 'three for each copy: an even number within the limit')
  for (const copy of [0, 1]) {
    const own = sets.filter((_, index) => index % 2 === copy)
    t.same(own.flatMap(set => [...set]).sort(), [...plan.keys()].sort(), 'every channel once in each copy')
  }
  const grown = new Map([...plan, ['late', 3]])
  const after = assignChannels(grown, sets, { channelsPerConnection: 5, connectionsMax: 7, redundancy: 2 })
  t.equal(after.length, sets.length)
  t.equal(after.filter(set => set.has('late')).length, 2)
  after.forEach((set, index) =>
    t.ok(
      [...(sets[index] ?? [])].every(channel => set.has(channel)),
      'none moves',
    ),
  )
  t.end()
})
