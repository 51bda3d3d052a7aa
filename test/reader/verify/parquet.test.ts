import { appendFileSync, copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Findings, type Finding } from '../../../reader/verify/findings.js'
import { Round } from '../../../reader/verify/round.js'
import { parquetProof } from '../../../reader/verify/parquet/main.js'
import { writeBacklog } from '../../compactor/fixtures/backlog.js'
import { compactOnce, filesBelow } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment, START_MS } from '../../compactor/fixtures/segments.js'
import { commandHere } from '../../fixtures/command-here.js'

const damages: { name: string; code: string; damage: (dataDir: string, file: string) => void }[] = [
  { name: 'a file that rotted', code: 'OTHER_BYTES', damage: (_, file) => appendFileSync(file, 'rot') },
  { name: 'a file that is gone', code: 'MISSING', damage: (_, file) => rmSync(file) },
  {
    name: 'trades twice',
    code: 'DOUBLE_TRADES',
    damage: (_, file) => copyFileSync(file, join(dirname(file), '03-h-r1-1.parquet')),
  },
  {
    name: 'a frame that nobody accounts for',
    code: 'FRAMES_DIFFER',
    damage: dataDir => changeReceipts(dataDir, /"written":(\d+)/g, (_, count) => `"written":${Number(count) - 1}`),
  },
  {
    name: 'rows that are not there',
    code: 'ROWS_DIFFER',
    damage: dataDir =>
      changeReceipts(dataDir, /"rows":(\d+),"bytes"/g, (_, rows) => `"rows":${Number(rows) + 1},"bytes"`),
  },
  {
    name: 'a quarantine without its lines',
    code: 'QUARANTINE_DIFFERS',
    damage: dataDir => {
      const [path = ''] = filesBelow(join(dataDir, 'quarantine'))
      writeFileSync(join(dataDir, 'quarantine', path), '')
    },
  },
]

function changeReceipts(dataDir: string, what: RegExp, by: (match: string, number: string) => string): void {
  const folder = join(dataDir, 'state/compactor')
  for (const file of readdirSync(folder).filter(name => name.startsWith('done-'))) {
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace(what, by))
  }
}

async function findingsOf(dataDir: string): Promise<Finding[]> {
  const found: Finding[] = []
  const findings = new Findings(finding => found.push(finding))
  const startProgress = () => ({
    advance: () => undefined,
    reach: () => undefined,
    aside: (print: () => void) => print(),
    stop: () => undefined,
  })
  const round = new Round({ place: dataDir, proof: 'parquet' })
  await parquetProof.prove(dataDir, {
    findings,
    startProgress,
    config: '',
    round,
    signal: new AbortController().signal,
  })
  return found
}

t.test('what was converted is proven, and every damage is found', async t => {
  const root = t.testdir({})
  const whole = join(root, 'whole')
  writeBacklog(whole, 2, 50)
  t.match(await compactOnce(whole, { nowMs: Date.now }), { failed: 0 })
  const proven = await commandHere(['verify', 'parquet', whole])
  t.match(proven, { exitCode: 0, stdout: /parquet: 4 segments, 7 files, \d+ rows\nno fault, 0 unproven/ })
  for (const [index, { name, code, damage }] of damages.entries()) {
    const dataDir = join(root, String(index))
    cpSync(whole, dataDir, { recursive: true })
    const [trades = ''] = filesBelow(join(dataDir, 'parquet')).filter(path => path.includes('table=trades'))
    damage(dataDir, join(dataDir, 'parquet', trades))
    const found = await findingsOf(dataDir)
    t.ok(
      found.some(finding => finding.weight === 'fault' && finding.code === code),
      name,
      { found },
    )
  }
  const rotten = join(root, '0')
  t.match(await commandHere(['verify', 'parquet', rotten]), { exitCode: 1, stdout: /fault: .*OTHER_BYTES/ })
})

t.test('of one date only what is of that date is looked at', async t => {
  const dataDir = t.testdir({})
  const quote =
    '{"params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1795000000000,"instrument_name":"BTC-PERPETUAL"}}}'
  for (const number of [1, 2])
    sealSegment(dataDir, 'quote', rawLines([quote]), { number, startedMs: START_MS + number * 86_400_000 })
  t.match(await compactOnce(dataDir), { failed: 0, segments: 2 })
  const [of1 = '', of2 = ''] = filesBelow(join(dataDir, 'parquet')).sort()
  const dateOfPath = (path: string) => /date=([^/]+)/.exec(path)?.[1] ?? ''
  writeFileSync(join(dataDir, 'parquet', of2), 'spoilt')
  const verify = (...args: string[]) => commandHere(['verify', ...args])
  t.match(await verify('parquet', dataDir, '--date', dateOfPath(of1)), {
    exitCode: 0,
    stdout: /parquet: 1 segments, 1 files, 1 rows\nno fault, 0 unproven/,
  })
  t.equal((await verify('parquet', dataDir, '--date', dateOfPath(of2))).exitCode, 1)
  t.match(await verify('raw', dataDir, '--date', dateOfPath(of1)), { exitCode: 2, stderr: /--date goes with/ })
  t.match(await verify('parquet', dataDir, '--date', '22.11.2026'), { exitCode: 2, stderr: /wanted a day/ })
})
