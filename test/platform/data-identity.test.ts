import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { parseRecorderName, recorderName } from '../../formats/recorder-name.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { parseParquetName } from '../../formats/parquet-path.js'
import { dataIdentity, IDENTITY_FILE, ownDataIdentity, readDataIdentity } from '../../platform/data-identity.js'

t.test('made once, and kept where the folder moves or loses its state', t => {
  const folder = t.testdir({})
  const dataDir = join(folder, 'data')
  t.equal(readDataIdentity(dataDir), undefined)
  t.notOk(existsSync(dataDir), 'a look makes nothing')
  const made = ownDataIdentity(dataDir)
  t.match(made, /^[a-z0-9]{8}$/)
  t.equal(dataIdentity(dataDir), made)
  rmSync(join(dataDir, 'state'), { recursive: true })
  const moved = join(folder, 'moved')
  renameSync(dataDir, moved)
  t.equal(ownDataIdentity(moved), made)
  t.not(dataIdentity(join(folder, 'other')), made)
  t.end()
})

t.test('a copy of the folder is another, once a recorder begins in it', t => {
  const folder = t.testdir({})
  const [dataDir, copy] = [join(folder, 'data'), join(folder, 'copy')]
  const made = ownDataIdentity(dataDir)
  cpSync(dataDir, copy, { recursive: true })
  t.equal(dataIdentity(copy), made, 'its files still bear the old name')
  const own = ownDataIdentity(copy)
  t.not(own, made)
  t.equal(ownDataIdentity(copy), own)
  t.equal(ownDataIdentity(dataDir), made)
  t.end()
})

t.test('a damaged file gives way to a new identity, a link to nothing', t => {
  const dataDir = join(t.testdir({}), 'data')
  mkdirSync(dataDir)
  for (const text of ['', '{', '{"identity":"../../x"}', '\0\0\0\0']) {
    writeFileSync(join(dataDir, IDENTITY_FILE), text)
    t.match(ownDataIdentity(dataDir), /^[a-z0-9]{8}$/)
  }
  rmSync(join(dataDir, IDENTITY_FILE))
  symlinkSync('elsewhere', join(dataDir, IDENTITY_FILE))
  t.throws(() => dataIdentity(dataDir), { code: 'DATA_IDENTITY_UNREADABLE' })
  t.end()
})

t.test('parts that start together agree', async t => {
  const dataDir = join(t.testdir({}), 'data')
  const module = new URL('../../platform/data-identity.js', import.meta.url).href
  const script = `const { ownDataIdentity } = await import(${JSON.stringify(module)}); console.log(ownDataIdentity(${JSON.stringify(dataDir)}))`
  const runs = await Promise.all(
    Array.from({ length: 6 }, () => execa(process.execPath, ['--input-type=module', '-e', script])),
  )
  const found = new Set(runs.map(({ stdout }) => stdout.trim()))
  t.same([...found], [readDataIdentity(dataDir)])
  t.match(readFileSync(join(dataDir, IDENTITY_FILE), 'utf8'), /^\{"identity":"[a-z0-9]{8}"/)
})

t.test('names with an identity and without are read', t => {
  const name = recorderName('vps-1.example', 'k3f9a2bx')
  t.same(parseRecorderName(name), { host: 'vps-1.example', identity: 'k3f9a2bx' })
  t.same(parseRecorderName('vps-1'), { host: 'vps-1', identity: undefined })
  const raw = 'raw/exchange=deribit/channel=trades/date=2026-11-22/hour=14/20261122T140000Z'
  t.match(parseSegmentPath(`${raw}-${name}-abc123-7.jsonl.zst`), { name: { host: name, run: 'abc123', number: 7 } })
  t.match(parseSegmentPath(`${raw}-vps-1-abc123-7.jsonl.zst`), { name: { host: 'vps-1', run: 'abc123', number: 7 } })
  t.equal(parseSegmentPath(`${raw}-vps_1-abc123-7.jsonl.zst`), undefined)
  t.match(parseParquetName(`14-${name}-abc123-7.parquet`), { host: name, run: 'abc123' })
  t.match(parseParquetName(`day-${name}.parquet`), { host: name })
  t.match(parseParquetName('day-vps-1.parquet'), { host: 'vps-1' })
  t.equal(parseParquetName(`day-${name}_x.parquet`), undefined)
  t.end()
})
