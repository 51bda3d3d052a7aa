/**
 * Passes of the syncer against a target that loses and spoils what it was brought, fails in the middle and rots: what is gone
 * here is whole there at every moment, and when it behaves again all of it is there.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import { syncerState } from '../../formats/ledger.js'
import { withState } from '../../formats/raw-path.js'
import { EdgeError } from '../../platform/edge-error.js'
import { LedgerStore } from '../../syncer/ledger-store.js'
import { runPass } from '../../syncer/pass.js'
import { emptyMemory, PASS_LIMITS, type Syncer } from '../../syncer/pass-work.js'
import { placeOf } from '../../syncer/place/place-of.js'
import type { Mark } from '../../syncer/place/mark.js'
import type {
  ExpectedFile,
  OutgoingFile,
  ShipResult,
  Target,
  Verdict,
  VerifyResult,
  Work,
} from '../../syncer/targets/target.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { handClock, HOUR_14, HOUR_MS, MINUTE_MS, sha256, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const KEEP_HOURS = 2
const { signal } = new AbortController()
const unreachable = () => new EdgeError('SYNC_TARGET_UNREACHABLE', 'no answer', { retry: true })

/** What becomes of one file that is brought or compared. */
type Fate = 'well' | 'problem' | 'lost' | 'spoilt' | 'error'

class LossyTarget implements Target {
  readonly label = 'nas:/tape'
  readonly syncsToDisk = true
  readonly files = new Map<string, Buffer>()
  readonly #marks = new Map<string, string>()
  /** Of the next files, one after the other; well where none is left. */
  fates: Fate[] = []
  isAway = false

  #next(): Fate {
    return this.fates.shift() ?? 'well'
  }

  #answer(): void {
    if (this.isAway) throw unreachable()
  }

  async reach(): Promise<void> {
    this.#answer()
  }

  async prepare(): Promise<void> {
    this.#answer()
  }

  async compareMarks(marks: readonly Mark[]): Promise<ReadonlyMap<string, Verdict>> {
    this.#answer()
    const verdictOf = ({ name, content }: Mark): Verdict =>
      !this.#marks.has(name) ? 'missing' : this.#marks.get(name) === content ? 'same' : 'wrong'
    return new Map(marks.map(mark => [mark.name, verdictOf(mark)]))
  }

  async writeMark({ name, content }: Mark): Promise<void> {
    this.#answer()
    this.#marks.set(name, content)
  }

  async ship(files: readonly OutgoingFile[], { dataDir, onFile }: Work): Promise<ShipResult> {
    const result: ShipResult = { done: [], problems: [] }
    const tree = new ShippedTree(dataDir)
    for (const { path, bytes } of files) {
      const fate = this.#next()
      if (fate === 'error') return { ...result, error: unreachable() }
      if (fate === 'problem') {
        result.problems.push({ path, reason: 'as told' })
        continue
      }
      const content = tree.read(path)
      if (fate === 'spoilt') content[0] = (content[0] ?? 0) ^ 1
      if (fate !== 'lost') this.files.set(path, content)
      result.done.push(path)
      onFile(bytes)
    }
    return result
  }

  async verify(files: readonly ExpectedFile[], { onFile }: Work): Promise<VerifyResult> {
    const result: VerifyResult = { verdicts: new Map(), problems: [] }
    for (const { path, bytes, sha256: expected } of files) {
      const fate = this.#next()
      if (fate === 'error') return { ...result, error: unreachable() }
      if (fate === 'problem') {
        result.problems.push({ path, reason: 'as told' })
        continue
      }
      const content = this.files.get(path)
      const verdict = !content ? 'missing' : sha256(content) === expected ? 'same' : 'wrong'
      if (verdict === 'wrong') this.files.delete(path)
      result.verdicts.set(path, verdict)
      onFile(bytes)
    }
    return result
  }

  fetch = () => Promise.reject(new Error('nothing is fetched'))
}

/** A recorder and a compactor that work by the hour, and a syncer behind them. */
class World {
  readonly target = new LossyTarget()
  readonly clock = handClock(HOUR_14)
  readonly tree: ShippedTree
  readonly made = new Map<string, { content: Buffer; hourEndMs: number }>()
  #hours = 0
  #syncer: Syncer

  constructor(dataDir: string) {
    mkdirSync(dataDir)
    this.tree = new ShippedTree(dataDir)
    this.#syncer = this.#begun()
  }

  #begun(): Syncer {
    const { target, clock } = this
    const { dataDir } = this.tree
    const config = testConfig(dataDir, { target: target.label, graceMinutes: 15 }, { keepHours: KEEP_HOURS })
    const ledgers = new LedgerStore(syncerState(dataDir), target.label)
    return {
      ...{ dataDir, config, recorder: 'h', target, clock, ledgers, signal, limits: PASS_LIMITS },
      ...{ log: pino({ level: 'silent' }), onProgress: () => undefined, memory: emptyMemory() },
      place: placeOf({ sync: config.sync, dataDir, target, clock, signal }, ledgers),
    }
  }

  restart(): void {
    this.#syncer = this.#begun()
  }

  /** Hours that ended by now are sealed and converted. */
  #work(): void {
    while (HOUR_14 + (this.#hours + 1) * HOUR_MS <= this.clock.nowMs()) {
      const n = this.#hours++
      const segment = this.tree.segment(n, `segment ${n}\n`, HOUR_14 + n * HOUR_MS)
      const parquet = this.tree.compacted(segment, n, HOUR_14 + n * HOUR_MS, `row ${n}\n`)
      const hourEndMs = HOUR_14 + (n + 1) * HOUR_MS
      for (const path of [segment, withState(segment, 'manifest'), parquet])
        this.made.set(path, { content: this.tree.read(path), hourEndMs })
    }
  }

  async pass(minutes: number) {
    this.clock.advance(minutes * MINUTE_MS)
    this.#work()
    const report = await runPass(this.#syncer)
    for (const [path, { content }] of this.made) {
      if (this.here(path)) continue
      assert.deepEqual(this.target.files.get(path), content, `${path} is gone here, and whole there`)
    }
    return report
  }

  here(path: string): boolean {
    return existsSync(join(this.tree.dataDir, path))
  }

  /** A byte of a copy turns, or it goes, whose original is still here. */
  rot(nth: number, isGone: boolean): void {
    const candidates = [...this.target.files.keys()].filter(path => this.here(path))
    const path = candidates[nth % Math.max(1, candidates.length)]
    const content = path === undefined ? undefined : this.target.files.get(path)
    if (path === undefined || !content) return
    if (isGone) this.target.files.delete(path)
    else content[0] = (content[0] ?? 0) ^ 1
  }
}

const fate = fc.constantFrom<Fate>('well', 'well', 'well', 'problem', 'lost', 'spoilt', 'error')
const step = fc.record({
  minutes: fc.constantFrom(1, 10, 16, 61, 130),
  fates: fc.array(fate, { maxLength: 9 }),
  isAway: fc.constantFrom(false, false, false, true),
  isRestart: fc.constantFrom(false, false, true),
  rot: fc.option(fc.tuple(fc.nat(30), fc.boolean()), { nil: undefined }),
})

t.test('what is gone here is whole there, whatever it loses; and in the end all of it is', async t => {
  const root = memoryFolder(t)
  let number = 0
  await holds(
    t,
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async steps => {
      const world = new World(join(root, `run${number++}`))
      for (const { minutes, fates, isAway, isRestart, rot } of steps) {
        world.target.fates = [...fates]
        world.target.isAway = isAway
        if (isRestart) world.restart()
        if (rot) world.rot(...rot)
        await world.pass(minutes)
      }
      world.target.fates = []
      world.target.isAway = false
      // Brought, compared after its grace, and where it was bad the same once more; then old enough, and deleted.
      for (let more = 0; more < 8; more++) await world.pass(20)
      await world.pass(60 * KEEP_HOURS)
      const { error, problems } = await world.pass(16)
      assert.deepEqual([error, problems], [undefined, []])
      const nowMs = world.clock.nowMs()
      for (const [path, { content, hourEndMs }] of world.made) {
        if (hourEndMs + HOUR_MS > nowMs) continue
        assert.deepEqual(world.target.files.get(path), content, `${path} is there`)
        if (hourEndMs + (KEEP_HOURS + 1) * HOUR_MS <= nowMs)
          assert.ok(!world.here(path), `${path} has had its time here`)
      }
    }),
    { numRuns: 20 },
  )
})
