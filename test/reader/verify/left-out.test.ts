import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Findings, type Finding } from '../../../reader/verify/findings.js'
import { rawProof } from '../../../reader/verify/raw/main.js'
import { Round } from '../../../reader/verify/round.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { journalLine, RUN_STARTED_US, wholeRun, writeRun, type RunLine } from '../../fixtures/raw-run.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)
const FRAMES = 60
const nothing = () => undefined
const startProgress = () => ({ advance: nothing, reach: nothing, aside: (print: () => void) => print(), stop: nothing })
let runs = 0

/** All that `verify raw` finds in a run of these lines. */
async function found(lines: readonly RunLine[]): Promise<Finding[]> {
  const dataDir = join(root, String(++runs))
  writeRun(dataDir, lines)
  const list: Finding[] = []
  const round = new Round({ place: dataDir, proof: 'raw' })
  const findings = new Findings(finding => list.push(finding))
  await rawProof.prove(dataDir, { findings, startProgress, config: '', round, signal: new AbortController().signal })
  return list
}

const isData = ({ conn }: RunLine) => conn === 'd1'
/** The frames that are told as missing, by their numbers. */
const missingIn = (list: readonly Finding[]) =>
  list.flatMap(({ code, message }) => {
    const [, from, to = from] = /^seq (\d+)(?: to (\d+))? of d1 /.exec(message) ?? []
    if (code !== 'SEQ_HOLE') return []
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => Number(from) + at)
  })

const seqs = fc.uniqueArray(fc.integer({ min: 1, max: FRAMES }), { maxLength: 20 })

t.test(
  'each frame that stands in no file is told by its number, and no other, whichever families they are of',
  async t => {
    await holds(
      t,
      fc.asyncProperty(seqs, async gone => {
        const list = await found(wholeRun(FRAMES).filter(line => !isData(line) || !gone.includes(line.seq)))
        const last = Math.max(...Array.from({ length: FRAMES }, (_, at) => at + 1).filter(seq => !gone.includes(seq)))
        // Behind the last frame that is there nobody can know of any.
        const wanted = gone.filter(seq => seq < last).sort((a, b) => a - b)
        assert.deepEqual(missingIn(list), wanted)
        assert.deepEqual(
          list.filter(({ weight, code }) => weight === 'fault' && code !== 'SEQ_HOLE'),
          [],
        )
      }),
      { numRuns: 40 },
    )
  },
)

t.test('what the journal declares as lost is no fault, and all that lies outside of it is', async t => {
  await holds(
    t,
    fc.asyncProperty(
      seqs,
      fc.integer({ min: 1, max: FRAMES }),
      fc.integer({ min: 0, max: 20 }),
      async (gone, from, length) => {
        // prettier-ignore
        const us = (seq: number) => RUN_STARTED_US + 1000 * seq
        const lost = journalLine(2, us(FRAMES) + 10, {
          event: 'lost',
          from_us: us(from),
          to_us: us(from + length),
          frames: 1,
        })
        const lines = wholeRun(FRAMES)
          .filter(line => !isData(line) || !gone.includes(line.seq))
          .map(line => (line.conn === 'journal' && line.seq === 2 ? { ...line, seq: 3 } : line))
        const list = await found([...lines.slice(0, -1), lost, ...lines.slice(-1)])
        const here = (seq: number) => seq >= 1 && seq <= FRAMES && !gone.includes(seq)
        const last = Math.max(...Array.from({ length: FRAMES }, (_, at) => at + 1).filter(here))
        const isExcused = (seq: number) => {
          let [before, behind] = [seq, seq]
          while (before > 0 && !here(before)) before--
          while (!here(behind)) behind++
          // A hole is declared where the time between its neighbours meets what is.
          const [beforeUs, behindUs] = [before === 0 ? 0 : us(before), us(behind)]
          return behindUs >= us(from) && beforeUs <= us(from + length)
        }
        const known = gone.filter(seq => seq < last).sort((a, b) => a - b)
        assert.deepEqual(
          missingIn(list),
          known.filter(seq => !isExcused(seq)),
        )
        const noted = list.filter(({ code }) => code === 'SEQ_LOST').map(({ message }) => Number(/^(\d+) frames/.exec(message)?.[1])) // prettier-ignore
        assert.equal(
          noted.reduce((sum, frames) => sum + frames, 0),
          known.filter(isExcused).length,
        )
      },
    ),
    { numRuns: 40 },
  )
})

t.test('a frame that stands twice, or at another’s place, is told', async t => {
  await holds(
    t,
    fc.asyncProperty(fc.nat(), fc.nat(), fc.boolean(), async (one, other, isSwapped) => {
      const lines = wholeRun(FRAMES)
      const a = 1 + (one % FRAMES)
      const b = Math.min(FRAMES, a + (other % 5))
      const [first, second] = [lines[a], lines[b]]
      assert.ok(first && second)
      if (isSwapped)
        [lines[a], lines[b]] = [
          { ...second, recvUs: first.recvUs },
          { ...first, recvUs: second.recvUs },
        ]
      else lines.splice(b, 0, { ...first, family: second.family, recvUs: second.recvUs })
      const codes = new Set((await found(lines)).filter(({ weight }) => weight === 'fault').map(({ code }) => code))
      if (!isSwapped)
        assert.ok(codes.has('SEQ_TWICE') || codes.has('SEQ_ORDER'), `${a} again at ${b}: ${[...codes].join()}`) // prettier-ignore
      // Of frames of two families the order is told by times alone, which are right here.
      else if (a !== b && first.family === second.family)
        assert.ok(codes.has('SEQ_ORDER'), `${a} and ${b}: ${[...codes].join()}`) // prettier-ignore
      else if (a === b) assert.deepEqual([...codes], [])
    }),
    { numRuns: 40 },
  )
})
