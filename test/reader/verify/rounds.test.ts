import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { FAULTS_KEPT, readProofState } from '../../../formats/proof-state.js'
import { judge, type Claim } from '../../../reader/verify/bits/claims.js'
import { chooseProofs, requireDateOfProofs } from '../../../reader/verify/choose.js'
import { Findings, findingText, type Finding } from '../../../reader/verify/findings.js'
import { proveInTurn } from '../../../reader/verify/prove-in-turn.js'
import type { Proof } from '../../../reader/verify/proof.js'
import { proofs } from '../../../reader/verify/proofs.js'
import { Round } from '../../../reader/verify/round.js'
import { holds } from '../../fixtures/holds.js'

const DAY_MS = 86_400_000
const fault = (path: string): Finding => ({ weight: 'fault', code: 'ROTTEN', path, message: 'it is not what it was' })

t.test('a round that is stopped goes on behind what it had reached, with what it had counted', t => {
  const place = t.testdir({ state: {} })
  let nowMs = Date.UTC(2026, 10, 22)
  const open = (more: object = {}) => new Round({ place, proof: 'bits', nowMs: () => nowMs, ...more })
  const first = open()
  t.equal(first.goesOn, undefined)
  t.notOk(first.isPast('2026-11-01'))
  first.count('files', 3)
  first.note(fault('a'))
  first.reached('2026-11-20', undefined, { done: 1, all: 9 })
  first.reached('2026-11-21', 'here b')
  first.save()
  nowMs += DAY_MS
  const second = open()
  t.match(second.goesOn, /continues after 2026-11-21, .* since 2026-11-22, with 1 fault found then/)
  t.same(
    [second.countOf('files'), second.countOf('bytes'), second.foundOf('fault'), second.foundOf('note')],
    [3, 0, 1, 0],
  )
  for (const [date, key, isPast] of [
    ['2026-11-20', 'z', true],
    ['2026-11-20', undefined, true],
    ['2026-11-21', 'here a', true],
    ['2026-11-21', 'here b', true],
    ['2026-11-21', 'here c', false],
    ['2026-11-21', undefined, false],
    ['2026-11-22', 'a', false],
  ] as const)
    t.equal(second.isPast(date, key), isPast, `${date} ${key ?? 'as a whole'}`)
  t.equal(open({ anew: true }).goesOn, undefined, 'unless it is to begin again')
  t.equal(open({ proof: 'parquet' }).goesOn, undefined, 'another proof has a round of its own')
  nowMs += 7 * DAY_MS
  t.equal(open().goesOn, undefined, 'what was proven a week ago is proven again')
  t.end()
})

t.test('a round that ended is remembered as the last one, over the next that is under way', t => {
  const place = t.testdir({ state: {} })
  const ended = new Round({ place, proof: 'bits', nowMs: () => 1000 })
  ended.reached('2026-11-20')
  ended.note(fault('raw/date=2026-11-20/x'))
  ended.end()
  t.match(readProofState(place, 'bits'), { last: { begunMs: 1000, endedMs: 1000, found: { fault: 1 } } })
  t.equal(readProofState(place, 'bits')?.round, undefined)
  const next = new Round({ place, proof: 'bits', nowMs: () => 2000 })
  t.equal(next.goesOn, undefined)
  next.reached('2026-11-19')
  next.save()
  t.match(readProofState(place, 'bits'), { round: { begunMs: 2000 }, last: { begunMs: 1000 } })
  next.mended(new Set(['raw/date=2026-11-20/x']))
  next.save()
  t.equal(readProofState(place, 'bits')?.last?.faults.length, 0, 'what is mended is told no more')
  t.end()
})

t.test('single days have a round of their own, of which nothing stays when it ends', t => {
  const place = t.testdir({ state: {} })
  const whole = new Round({ place, proof: 'bits' })
  whole.reached('2026-11-18')
  whole.save()
  const day = new Round({ place, proof: 'bits', date: '2026-11-20' })
  t.equal(day.goesOn, undefined, 'the round over all is not its own')
  day.reached('2026-11-20', 'b')
  day.save()
  t.ok(new Round({ place, proof: 'bits', date: '2026-11-20' }).isPast('2026-11-20', 'a'))
  t.equal(new Round({ place, proof: 'bits', date: '2026-11-21' }).goesOn, undefined, 'nor that of another day')
  day.end()
  t.equal(new Round({ place, proof: 'bits', date: '2026-11-20' }).goesOn, undefined)
  t.ok(new Round({ place, proof: 'bits' }).isPast('2026-11-18'), 'the round over all goes on')
  t.end()
})

t.test('of many faults some are kept, and all are counted; a state that is spoilt begins anew', t => {
  const place = t.testdir({ state: {} })
  const round = new Round({ place, proof: 'bits' })
  for (let at = 0; at < FAULTS_KEPT + 50; at++) round.note(fault(`f${at}`))
  round.note({ weight: 'note', code: 'X', path: 'n', message: '' })
  round.reached('2026-11-20')
  round.save()
  t.equal(readProofState(place, 'bits')?.round?.faults.length, FAULTS_KEPT)
  t.equal(new Round({ place, proof: 'bits' }).foundOf('fault'), FAULTS_KEPT + 50)
  for (const text of ['', '{', 'null', '[]', '{"place":"/elsewhere"}']) {
    writeFileSync(join(place, 'state/verify/bits.json'), text)
    t.equal(new Round({ place, proof: 'bits' }).goesOn, undefined, text)
  }
  t.end()
})

t.test('a file that is wrong all over says so some times, then how often more', t => {
  holds(
    t,
    fc.property(fc.array(fc.tuple(fc.constantFrom('A', 'B'), fc.constantFrom('x', 'y')), { maxLength: 120 }), list => {
      const [shown, heard]: [Finding[], Finding[]] = [[], []]
      const findings = new Findings(
        finding => shown.push(finding),
        finding => heard.push(finding),
      )
      findings.carry('fault', 2)
      for (const [code, path] of list) findings.add({ weight: 'fault', code, path, message: 'wrong' })
      findings.finish()
      assert.equal(findings.counts.fault, list.length + 2, 'those of an earlier run count')
      assert.equal(heard.length, list.length)
      for (const code of ['A', 'B'])
        for (const path of ['x', 'y']) {
          const count = list.filter(([a, b]) => a === code && b === path).length
          const own = shown.filter(finding => finding.code === code && finding.path === path)
          assert.equal(own.length, Math.min(count, 20) + (count > 20 ? 1 : 0))
          if (count > 20) assert.equal(own.at(-1)?.message, `… and ${count - 20} more like these`)
        }
    }),
  )
  t.equal(findingText({ ...fault('a/b'), line: 7, hint: 'mend it' }), 'fault: a/b:7: it is not what it was [ROTTEN]\n  hint: mend it') // prettier-ignore
  t.equal(findingText(fault('a/b')), 'fault: a/b: it is not what it was [ROTTEN]')
  t.end()
})

t.test('a file is right where one of its checksums says so, and those that say otherwise are told', t => {
  const claim = fc.record({ by: fc.constantFrom<Claim['by']>('manifest', 'receipt', 'list', 'ledger'), sha256: fc.constantFrom('a', 'b', 'c') }) // prettier-ignore
  holds(
    t,
    fc.property(fc.constantFrom('a', 'b'), fc.array(claim, { maxLength: 4 }), (sha256, claims) => {
      const { verdict, untrue } = judge(sha256, claims)
      const says = claims.some(claim => claim.sha256 === sha256)
      assert.equal(verdict, claims.length === 0 ? 'unknown' : says ? 'right' : 'rotten')
      assert.deepEqual(untrue, says ? claims.filter(claim => claim.sha256 !== sha256) : [])
    }),
  )
  t.end()
})

const nothing = () => undefined
const startProgress = () => ({ advance: nothing, reach: nothing, aside: (print: () => void) => print(), stop: nothing })

t.test('proofs come one after the other; one that is stopped is told, and goes on the next time', async t => {
  const place = t.testdir({ state: {} })
  const told: string[] = []
  let stopsAt = 2
  const counting: Proof = {
    ...{ name: 'bits', describes: '', goesOn: true, isHere: () => true },
    prove: (_, { round, findings }) => {
      for (let day = 1; day <= 4; day++) {
        const date = `2026-11-0${day}`
        if (round.isPast(date)) continue
        if (day > stopsAt) return Promise.resolve({ text: `${day - 1} days`, facts: {}, isWhole: false })
        findings.add(fault(date))
        round.reached(date)
      }
      return Promise.resolve({ text: 'all days', facts: {} })
    },
  }
  const plain: Proof = { ...counting, name: 'raw', prove: () => Promise.resolve({ text: 'plain', facts: {} }) }
  const prove = () =>
    proveInTurn([counting, plain], place, {
      ...{
        config: '',
        date: undefined,
        repair: false,
        anew: false,
        signal: new AbortController().signal,
        startProgress,
      },
      onGoesOn: (proof, text) => told.push(`${proof} ${text.slice(0, 23)}`),
      onFinding: ({ path }) => told.push(path),
      onProven: (proof, { text }) => told.push(`${proof}: ${text}`),
    })
  t.same(await prove(), { faults: 2, unproven: 0, notes: 0, isWhole: false })
  t.same(told.splice(0), ['2026-11-01', '2026-11-02', 'bits: 2 days', 'raw: plain'])
  stopsAt = 9
  t.same(await prove(), { faults: 4, unproven: 0, notes: 0, isWhole: true }, 'faults of before count')
  t.same(told.splice(0), ['bits continues after 2026-11', '2026-11-03', '2026-11-04', 'bits: all days', 'raw: plain'])
  t.same(await prove(), { faults: 4, unproven: 0, notes: 0, isWhole: true })
  t.equal(told.filter(text => text.startsWith('2026')).length, 4, 'what came to its end begins again')
})

t.test('what is to be proven is told by a name, a path, or what is there', async t => {
  const place = t.testdir({ data: { raw: { 'exchange=deribit': {} } }, config: '', mine: {} })
  const data = join(place, 'data')
  const names = async (what?: string, path?: string) => {
    const chosen = await chooseProofs(what, path, join(place, 'config'))
    return [chosen.proofs.map(({ name }) => name).join(), chosen.place.slice(place.length)]
  }
  t.same(await names('parquet', data), ['parquet', '/data'])
  await t.rejects(names('everything', data), {
    code: 'VERIFY_UNKNOWN',
    message: /found everything, wanted one of: raw/,
  })
  await t.rejects(names(join(place, 'none')), { code: 'VERIFY_NOTHING' })
  t.same(await names(join(place, 'mine')), ['raw', '/mine'], 'whoever comes first says what is wanted')
  mkdirSync(join(place, 'mine/parquet'))
  t.same(await names(join(place, 'mine/parquet')), ['parquet', '/mine/parquet'], 'by a part of its path')
  await t.rejects(
    names(join(place, 'mine')),
    { code: 'VERIFY_NOTHING' },
    'a tree without a file of ours is no proof of anything',
  )
  t.doesNotThrow(() =>
    requireDateOfProofs(
      '2026-11-22',
      proofs.filter(({ byDate }) => byDate),
    ),
  )
  t.throws(
    () =>
      requireDateOfProofs(
        '2026-11-22',
        proofs.filter(({ byDate }) => !byDate),
      ),
    { code: 'VERIFY_DATE' },
  )
  t.throws(() => requireDateOfProofs('2026-02-30', []), { code: 'DATE_INVALID' })
})
