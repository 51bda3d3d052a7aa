/** What must hold of the recorder's decisions whatever comes; a failure prints the seed that brings it back. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { assignChannels, type Assignment } from '../../recorder/assign-channels.js'
import { Backlog } from '../../recorder/storage/backlog.js'
import { BatchQueue, segmentKey } from '../../recorder/storage/batch-queue.js'
import { Losses } from '../../recorder/storage/losses.js'
import type { Append } from '../../recorder/storage/messages.js'
import { groupPath } from '../../formats/raw-path.js'
import { holds } from '../fixtures/holds.js'

const channel = fc.integer({ min: 0, max: 60 }).map(n => `quote.${n}`)
const plan = fc.uniqueArray(fc.tuple(channel, fc.integer({ min: 0, max: 20 })), {
  selector: ([name]) => name,
  maxLength: 40,
})
const limits = fc.record({
  channelsPerConnection: fc.integer({ min: 1, max: 12 }),
  connectionsMax: fc.integer({ min: 1, max: 8 }),
  redundancy: fc.constantFrom(1, 2),
})

t.test('each channel has its place in every copy, keeps it, and nothing else has one', t => {
  holds(
    t,
    fc.property(fc.array(plan, { minLength: 1, maxLength: 6 }), limits, (plans, limits) => {
      const { channelsPerConnection, connectionsMax, redundancy } = limits
      const most = Math.max(1, Math.floor(connectionsMax / redundancy))
      let current: Assignment = []
      for (const entries of plans) {
        const wanted = new Map(entries)
        const next = assignChannels(wanted, current, limits)
        for (let copy = 0; copy < redundancy; copy++) {
          const sets = next.filter((_set, index) => index % redundancy === copy)
          const held = sets.flatMap(set => [...set])
          assert.deepEqual(held.sort(), [...wanted.keys()].sort(), 'each once')
          assert.ok(sets.length <= Math.max(most, current.length / redundancy), 'no more connections than are allowed')
        }
        assert.ok(next.length >= current.length, 'a connection keeps its position')
        current.forEach((before, index) => {
          for (const name of before)
            if (wanted.has(name)) assert.ok(next[index]?.has(name), `${name} stays where it was`)
        })
        const fits = wanted.size <= channelsPerConnection * most
        if (current.length === 0 && fits)
          for (const set of next) assert.ok(set.size <= channelsPerConnection, 'none is too full')
        current = next
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

const batch = fc
  .record({
    channel: fc.constantFrom('book', 'quote', 'trades', 'ticker'),
    kind: fc.constantFrom('option', 'future'),
    slot: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ channel, kind, slot, size }): Append => ({
    ...{
      type: 'append',
      exchange: 'deribit',
      channel,
      kind,
      group: groupPath({ channel, kind }),
      slotFromUs: slot - 1,
      slotToUs: slot,
    },
    ...{ firstRecvUs: slot, lastRecvUs: slot, frames: 1, bytes: new Uint8Array(size) },
  }))

t.test('what waits in memory: nothing is lost on the way, and what is dropped is in the order that was set', t => {
  const order = fc.shuffledSubarray(['book', 'quote', 'trades', 'ticker'])
  const step = fc.oneof(
    fc.record({ push: batch }),
    fc.record({ send: fc.constantFrom('book', 'quote', 'trades', 'ticker') }),
    fc.record({ release: fc.nat() }),
    fc.record({ drop: fc.integer({ min: 1, max: 300 }) }),
  )
  holds(
    t,
    fc.property(order, fc.nat(4), fc.array(step, { maxLength: 60 }), (order, cut, steps) => {
      const [first, last] = [order.slice(0, cut), order.slice(cut)]
      const rank = (family: string) =>
        last.includes(family)
          ? 10 + last.indexOf(family)
          : first.includes(family)
            ? first.indexOf(family)
            : first.length
      const backlog = new Backlog(first, last, 150)
      let here: Append[] = []
      const held: Append[] = []
      const sizeOf = (list: readonly Append[]) => list.reduce((sum, { bytes }) => sum + bytes.length, 0)
      for (const step of steps) {
        if ('push' in step) {
          backlog.push(step.push)
          here.push(step.push)
        } else if ('send' in step) {
          const sent = [...backlog.takeToSend(step.send)]
          const own = here.filter(({ channel }) => channel === step.send)
          assert.deepEqual(sent, own.slice(0, sent.length), 'in the order in which they came')
          here = here.filter(one => !sent.includes(one))
          held.push(...sent)
        } else if ('release' in step) {
          const [one] = held.splice(step.release % Math.max(1, held.length), 1)
          if (one) backlog.release(one.channel, one.bytes.length)
        } else {
          const gone = backlog.dropOldest(step.drop)
          here = here.filter(one => !gone.includes(one))
          assert.ok(sizeOf(gone) >= step.drop || here.length === 0, 'enough, or all there is')
          assert.ok(sizeOf(gone.slice(0, -1)) < step.drop, 'and no more than that')
          const ranks = gone.map(({ channel }) => rank(channel))
          assert.deepEqual(
            ranks,
            [...ranks].sort((a, b) => a - b),
          )
          const worst = Math.max(-1, ...ranks)
          assert.ok(
            here.every(({ channel }) => rank(channel) >= worst),
            'none that is dropped earlier is left',
          )
        }
        assert.equal(backlog.bytes, sizeOf(here) + sizeOf(held))
        for (const family of order)
          assert.equal(
            backlog.has(family),
            here.some(({ channel }) => channel === family) ||
              sizeOf(held.filter(({ channel }) => channel === family)) > 0,
          )
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('batches of one segment are written in the order in which they came, whatever fails', t => {
  const fate = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })
  holds(
    t,
    fc.property(fc.array(batch, { maxLength: 30 }), fate, (batches, fate) => {
      const queue = new BatchQueue()
      const written: Append[] = []
      let tries = 0
      for (const one of batches) queue.push(one)
      for (let nowMs = 0; nowMs < 100; nowMs++) {
        queue.drain(
          nowMs,
          () => true,
          one => {
            // From some time on the disk takes all.
            if (nowMs < 90 && fate[tries++ % fate.length]) return nowMs + (tries % 3)
            written.push(one)
            return undefined
          },
        )
      }
      assert.equal(written.length, batches.length, 'all of them, once')
      for (const key of new Set(batches.map(segmentKey))) {
        const of = (list: readonly Append[]) => list.filter(one => segmentKey(one) === key)
        assert.ok(
          of(written).every((one, index) => one === of(batches)[index]),
          key,
        )
      }
      assert.deepEqual([...queue.retries], [])
    }),
  )
  t.end()
})

t.test('what was lost is told of each family once, with all of its frames and the whole time', t => {
  const loss = fc
    .record({
      channel: fc.constantFrom('book', 'quote'),
      fromUs: fc.nat(1000),
      length: fc.nat(100),
      frames: fc.nat(9),
      cause: fc.constantFrom('full', 'fault'),
    })
    .map(({ length, ...rest }) => ({ ...rest, toUs: rest.fromUs + length }))
  holds(
    t,
    fc.property(fc.array(loss, { maxLength: 20 }), all => {
      const losses = new Losses()
      for (const one of all) losses.add(one)
      const channels = [...new Set(all.map(({ channel }) => channel))]
      assert.equal(losses.size, channels.length)
      const told = losses.takeAll()
      assert.deepEqual(
        told,
        channels.map(channel => {
          const own = all.filter(one => one.channel === channel)
          return {
            channel,
            fromUs: Math.min(...own.map(({ fromUs }) => fromUs)),
            toUs: Math.max(...own.map(({ toUs }) => toUs)),
            frames: own.reduce((sum, { frames }) => sum + frames, 0),
            cause: own[0]?.cause,
          }
        }),
      )
      assert.equal(losses.size, 0, 'and not again')
    }),
  )
  t.end()
})
