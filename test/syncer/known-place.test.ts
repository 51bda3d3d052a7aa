/** Which place is taken for the target of before, over crashes, power cuts there and disks that come and go. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { EdgeError } from '../../platform/edge-error.js'
import { MARK_PREFIX, type Mark } from '../../syncer/place/mark.js'
import { memoryPath, readMemory, writeMemory } from '../../syncer/place/memory.js'
import { TargetPlace } from '../../syncer/place/target-place.js'
import type { Target, Verdict } from '../../syncer/targets/target.js'
import { handClock, HOUR_14, MINUTE_MS } from '../fixtures/shipped-tree.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const GRACE_MS = 15 * MINUTE_MS
const LABEL = 'nas:/tape'
const { signal } = new AbortController()

/** A disk as a power cut may leave it: what was written within the grace period may be gone. */
class Platter {
  marks = new Map<string, string>()
  #lately: { atMs: number; name: string; before: string }[] = []

  write(name: string, content: string, atMs: number): void {
    const before = this.marks.get(name)
    // A mark that is new is written with all else that a folder needs, and waited for.
    if (before !== undefined) this.#lately.push({ atMs, name, before })
    this.marks.set(name, content)
  }

  powerCut(nowMs: number): void {
    for (const { atMs, name, before } of this.#lately.reverse())
      if (nowMs - atMs < GRACE_MS) this.marks.set(name, before)
    this.#lately = []
  }

  copy(): Platter {
    const copy = new Platter()
    copy.marks = new Map(this.marks)
    return copy
  }
}

/** A target of which nothing is there but its marks. */
class MarkedTarget implements Target {
  readonly label = LABEL
  readonly syncsToDisk = true
  /** Undefined while it does not answer. */
  platter: Platter | undefined
  breaks: 'before' | 'behind' | undefined
  readonly #nowMs: () => number

  constructor(platter: Platter, nowMs: () => number) {
    this.platter = platter
    this.#nowMs = nowMs
  }

  #there(): Platter {
    if (!this.platter) throw new EdgeError('SYNC_TARGET_UNREACHABLE', 'away', { retry: true })
    return this.platter
  }

  async reach(): Promise<void> {
    this.#there()
  }

  async compareMarks(marks: readonly Mark[]): Promise<ReadonlyMap<string, Verdict>> {
    const { marks: there } = this.#there()
    return new Map(
      marks.map(({ name, content }) => [name, !there.has(name) ? 'missing' : there.get(name) === content ? 'same' : 'wrong']),
    ) // prettier-ignore
  }

  async writeMark({ name, content }: Mark, how: 'new' | 'over'): Promise<void> {
    const there = this.#there()
    const { breaks } = this
    this.breaks = undefined
    if (breaks === 'before') throw new EdgeError('SYNC_TARGET_UNREACHABLE', 'cut off before it was written')
    if (there.marks.has(name) !== (how === 'over')) throw new EdgeError('SYNC_TARGET_UNMARKED', `${name} ${how}`)
    there.write(name, content, this.#nowMs())
    if (breaks === 'behind') throw new EdgeError('SYNC_TARGET_UNREACHABLE', 'cut off behind it')
  }

  async prepare(): Promise<void> {
    this.#there()
  }

  async verify() {
    return { verdicts: new Map<string, Verdict>(), problems: [] }
  }

  ship = () => Promise.reject(new Error('nothing is shipped'))
  fetch = () => Promise.reject(new Error('nothing is fetched'))
}

function scene(dataDir: string) {
  mkdirSync(dataDir, { recursive: true })
  const clock = handClock(HOUR_14)
  const right = new Platter()
  const target = new MarkedTarget(right, () => clock.nowMs())
  const open = () => new TargetPlace({ dataDir, target, clock, graceMs: () => GRACE_MS })
  return { clock, right, target, open }
}

const codeOf = async (work: Promise<unknown>) => {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof EdgeError) return error.code
    throw error
  }
}

const action = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'prove' as const, minutes: 0 }) },
  { weight: 4, arbitrary: fc.constant({ do: 'advance' as const, minutes: 0 }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 10, 16, 600) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('restart', 'powerCut', 'break before', 'break behind', 'empty', 'foreign', 'away', 'right'), minutes: fc.constant(0) }) },
) // prettier-ignore

t.test(
  'the right disk is known again over crashes and power cuts, and no other is ever taken for it, or written to',
  async t => {
    const root = memoryFolder(t)
    let run = 0
    await holds(t, fc.asyncProperty(fc.array(action, { maxLength: 40 }), async actions => {
      const { clock, right, target, open } = scene(join(root, `run${run++}`))
      let place = open()
      let isProven = false
      const [empty, foreign] = [new Platter(), new Platter()]
      foreign.marks.set(`${MARK_PREFIX}-0123456789ab`, 'edgetape another 7\n')
      const identity = await place.prove(signal)
      for (const one of actions) {
        if (one.do === 'wait') clock.advance(one.minutes * MINUTE_MS)
        else if (one.do === 'restart') [place, isProven] = [open(), false]
        else if (one.do === 'powerCut') {
          right.powerCut(clock.nowMs())
          // It looks again each few minutes.
          if (target.platter === right) assert.equal(await place.prove(signal), identity)
        }
        else if (one.do === 'break before' || one.do === 'break behind') target.breaks = one.do === 'break before' ? 'before' : 'behind'
        else if (one.do === 'prove') {
          // Nothing is written for a proof of a place that is known.
          const code = await codeOf(place.prove(signal).then(found => assert.equal(found, identity)))
          isProven = code === undefined
          if (target.platter === right) assert.equal(code, undefined, 'the right one')
          else assert.equal(code, target.platter ? 'SYNC_TARGET_UNMARKED' : 'SYNC_TARGET_UNREACHABLE')
        } else if (one.do === 'advance') {
          if (!isProven) continue
          const code = await codeOf(place.advance([], signal))
          if (code !== undefined) isProven = false
          // A crash: what was in memory alone is gone.
          if (code === 'SYNC_TARGET_UNREACHABLE') place = open()
        } else {
          target.platter = { empty, foreign, away: undefined, right }[one.do as 'empty']
          isProven &&= target.platter === right
        }
        assert.equal(empty.marks.size, 0, 'an empty disk stays empty')
        assert.deepEqual([...foreign.marks.values()], ['edgetape another 7\n'])
      }
    }),
    { numRuns: 150 },
  ) // prettier-ignore
  },
)

t.test('an older state of the right disk is told from it once a power cut can no longer have made it', async t => {
  const { clock, right, target, open } = scene(join(t.testdir(), 'data'))
  const place = open()
  const identity = await place.prove(signal)
  const before = right.copy()
  await place.advance([], signal)
  target.platter = before.copy()
  t.equal(await place.prove(signal), identity, 'it might be a power cut')
  target.platter = right
  t.equal(await place.prove(signal), identity)
  await place.advance([], signal)
  clock.advance(GRACE_MS)
  t.equal(await place.prove(signal), identity)
  target.platter = before.copy()
  t.equal(await codeOf(place.prove(signal)), 'SYNC_TARGET_DIFFERS')
  t.equal(await codeOf(open().prove(signal)), 'SYNC_TARGET_DIFFERS', 'nor after a restart')
  target.platter = right
  t.equal(await open().prove(signal), identity, 'and the right one is right all the while')

  const again = open()
  await again.prove(signal)
  const last = right.copy()
  await again.advance([], signal)
  clock.advance(GRACE_MS)
  target.platter = last
  t.equal(await codeOf(open().prove(signal)), 'SYNC_TARGET_DIFFERS', 'nor where nobody looked meanwhile')
  target.platter = right
  t.equal(await open().prove(signal), identity)
})

t.test('a person may say that what is there now is the target: it gets an identity of its own', async t => {
  const { right, target, open } = scene(join(t.testdir(), 'data'))
  const place = open()
  const identity = await place.prove(signal)
  const [name = ''] = [...right.marks.keys()]
  for (const byHand of [name, MARK_PREFIX]) {
    target.platter = new Platter()
    t.equal(await codeOf(place.prove(signal)), 'SYNC_TARGET_UNMARKED', byHand)
    target.platter.marks.set(byHand, '')
    const accepted = await place.prove(signal)
    t.not(accepted, identity)
    t.match(target.platter.marks.get(name), new RegExp(`^edgetape ${accepted} 1\n$`))
    t.not(target.platter.marks.get(MARK_PREFIX), '', 'an empty mark for all counts once')
    t.equal(await open().prove(signal), accepted)
  }
  target.platter = right
  t.equal(await codeOf(place.prove(signal)), 'SYNC_TARGET_DIFFERS', 'the one of before is none any more')
})

t.test('a look beside a syncer writes nothing, here or there', async t => {
  const dataDir = join(t.testdir(), 'data')
  const { right, target, open } = scene(dataDir)
  t.equal(await open().check(signal), undefined, 'never used')
  t.same([right.marks.size, readdirSync(dataDir)], [0, []])
  const place = open()
  const identity = await place.prove(signal)
  const beside = open()
  await place.advance([], signal)
  const memory = readFileSync(memoryPath(dataDir, LABEL), 'utf8')
  t.equal(await beside.check(signal), identity, 'the syncer has gone on meanwhile')
  target.platter = new Platter()
  t.equal(await codeOf(open().check(signal)), 'SYNC_TARGET_UNMARKED')
  target.platter = undefined
  t.equal(await codeOf(open().check(signal)), 'SYNC_TARGET_UNREACHABLE')
  t.equal(readFileSync(memoryPath(dataDir, LABEL), 'utf8'), memory)
})

t.test('what is known of a target is read whole, or asked of a person', t => {
  const dataDir = t.testdir()
  t.equal(readMemory(dataDir, LABEL), undefined)
  const memory = {
    ...{ target: LABEL, birth: { folder: '1', machine: 'm' }, mark: `${MARK_PREFIX}-0123456789ab`, identity: 'i' },
    ...{ number: 3, next: { number: 4, atMs: 5, written: false } },
  }
  writeMemory(dataDir, memory)
  t.same(readMemory(dataDir, LABEL), memory)
  t.equal(readMemory(dataDir, 'nas:/other'), undefined, 'of another address')
  const path = memoryPath(dataDir, LABEL)
  const whole = readFileSync(path, 'utf8')
  const spoilt = [
    ...['', '{', whole.slice(0, -10), '[]', 'null'],
    ...[{ number: 0 }, { number: 1.5 }, { identity: '' }, { mark: '../etc/passwd' }, { mark: MARK_PREFIX }].map(part =>
      JSON.stringify({ ...memory, ...part }),
    ),
  ]
  for (const text of spoilt) {
    writeFileSync(path, text)
    t.throws(() => readMemory(dataDir, LABEL), { code: 'SYNC_PLACE_UNREADABLE', hint: /nas:\/tape/ }, text.slice(0, 60))
  }
  t.end()
})

t.test('it is used only once it is proven', async t => {
  const { right, open } = scene(join(t.testdir(), 'data'))
  await t.rejects(open().advance([], signal), /proven before it is used/)
  t.equal(right.marks.size, 0)
})
