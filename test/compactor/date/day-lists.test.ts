import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readFinishedList } from '../../../formats/finished-list.js'
import { Findings, type Finding } from '../../../reader/verify/findings.js'
import { parquetProof } from '../../../reader/verify/parquet/main.js'
import { Round } from '../../../reader/verify/round.js'
import { hashes } from '../fixtures/compacted.js'
import { compactNextDay, DATE, LIST, makeListedDay, QUOTES, sealQuotes } from '../fixtures/listed-day.js'

const DAY = `parquet/exchange=deribit/table=quote/kind=perpetual/currency=BTC/date=${DATE}/day-vps-1.parquet`
const head = (dataDir: string) => JSON.parse(readFileSync(join(dataDir, LIST), 'utf8').split('\n')[0] ?? '') as object

t.test('a day that is rolled up is listed, each file as it is', async t => {
  const dataDir = t.testdir()
  await makeListedDay(dataDir)
  const files = readFinishedList(dataDir, LIST) ?? []
  const sums = hashes(dataDir)
  t.same(
    files.map(({ path, sha256 }) => [path, sha256]),
    Object.entries(sums).filter(([path]) => path.startsWith('parquet/')),
  )
  const startUs = Date.parse(`${DATE}T15:00:00Z`) * 1000
  const listed = files.find(({ path }) => path === DAY)
  t.match(listed?.columns, /^[0-9a-f]{12}$/)
  t.same(listed, {
    path: DAY,
    sha256: sums[DAY],
    columns: listed?.columns,
    rows: QUOTES,
    bytes: statSync(join(dataDir, DAY)).size,
    recv_us: [startUs, startUs + 3_600_000_000 + 8],
    exchange_us: [startUs, startUs + 3_600_008_000],
    instruments: ['BTC-PERPETUAL'],
    schema_version: 1,
  })
  const before = statSync(join(dataDir, LIST)).mtimeMs
  await compactNextDay(dataDir)
  t.equal(statSync(join(dataDir, LIST)).mtimeMs, before, 'not written again')
})

t.test('a list is revoked before a late segment is converted, and made anew with its day', async t => {
  const dataDir = t.testdir()
  await makeListedDay(dataDir)
  sealQuotes(dataDir, 3)
  const seen: object[] = []
  const onProgress = () => seen.push(head(dataDir))
  t.match(await compactNextDay(dataDir, { onProgress }), { failed: 0, backlog: 0 })
  t.match(seen[0], { isRevoked: true })
  t.match(
    readFinishedList(dataDir, LIST)?.find(({ path }) => path === DAY),
    { rows: QUOTES + 3 },
  )
})

t.test('a day of which files are gone from here is not listed: elsewhere they still are', async t => {
  const dataDir = t.testdir()
  await makeListedDay(dataDir)
  const [other] = (readFinishedList(dataDir, LIST) ?? []).filter(({ path }) => path.includes('currency=ETH'))
  rmSync(join(dataDir, other?.path ?? ''))
  rmSync(join(dataDir, LIST))
  rmSync(join(dataDir, 'raw'), { recursive: true })
  await compactNextDay(dataDir, { onListed: date => t.fail(`${date} was listed`) })
  t.notOk(existsSync(join(dataDir, LIST)))
})

t.test('lists that were lost are made from the files, the same', async t => {
  const dataDir = t.testdir()
  await makeListedDay(dataDir)
  const before = readFileSync(join(dataDir, LIST), 'utf8')
  rmSync(join(dataDir, 'lists'), { recursive: true })
  const listed: [string, number][] = []
  const onListed = (date: string, files: number) => listed.push([date, files])
  await compactNextDay(dataDir, { nowMs: () => Date.parse(`${DATE}T23:00:00Z`), onListed })
  t.same(listed, [], 'not before the day is over')
  await compactNextDay(dataDir, { onListed })
  t.same(listed, [[DATE, 5]])
  t.equal(readFileSync(join(dataDir, LIST), 'utf8'), before)
})

t.test('verify holds lists against the files', async t => {
  const found = async (dataDir: string) => {
    const all: Finding[] = []
    const findings = new Findings(finding => all.push(finding))
    const round = new Round({ place: dataDir, proof: 'parquet', anew: true })
    const { signal } = new AbortController()
    const startProgress = () => ({ advance: () => undefined })
    await parquetProof.prove(dataDir, { findings, round, signal, startProgress } as never)
    return all.map(({ code, path }) => [code, path])
  }
  const dataDir = t.testdir()
  await makeListedDay(dataDir)
  t.same(await found(dataDir), [])
  const text = readFileSync(join(dataDir, LIST), 'utf8')
  const damages: [string, string, string][] = [
    ['LIST_DIFFERS', DAY, text.replace('["BTC-PERPETUAL"]', '["BTC-25DEC26"]')],
    ['LIST_DIFFERS', DAY, text.replace(new RegExp(`("path":"${DAY}","rows":)6`), '$15')],
    ['NOT_LISTED', DAY, text.replace('"files":5', '"files":4').replace(new RegExp(`{"path":"${DAY}.*\n`), '')],
    ['NO_LIST', LIST, text.slice(0, -20)],
  ]
  for (const [code, path, damaged] of damages) {
    t.not(damaged, text)
    writeFileSync(join(dataDir, LIST), damaged)
    t.same(await found(dataDir), [[code, path]], code)
  }
})
