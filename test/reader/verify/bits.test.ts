import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { loadConfig } from '../../../config/load.js'
import { withState } from '../../../formats/raw-path.js'
import { finishedListPath, writeFinishedList } from '../../../formats/finished-list.js'
import { damageKnown, readProofState } from '../../../formats/proof-state.js'
import { bitsProof } from '../../../reader/verify/bits/main.js'
import { Findings, type Finding } from '../../../reader/verify/findings.js'
import { Round } from '../../../reader/verify/round.js'
import { runSyncer } from '../../../syncer/main.js'
import { compactOnce, filesBelow as namesBelow } from '../../compactor/fixtures/compacted.js'
import { rawLines, sealSegment } from '../../compactor/fixtures/segments.js'
import { commandHere } from '../../fixtures/command-here.js'
import { matchAll } from '../../fixtures/match-all.js'
import { filesBelow, flipByte, sha256, ShippedTree, visibleBelow } from '../../fixtures/shipped-tree.js'
import { startTarget } from '../../fixtures/sync-targets.js'

const nothing = () => undefined
const startProgress = () => ({ advance: nothing, reach: nothing, aside: (print: () => void) => print(), stop: nothing })

interface Asked {
  config?: string
  repair?: boolean
  signal?: AbortSignal
  onFinding?: () => void
}

/** `edgetape verify bits`, in this process. */
async function bits(dataDir: string, { config = '', repair = false, signal, onFinding = nothing }: Asked = {}) {
  const found: Finding[] = []
  const round = new Round({ place: dataDir, proof: 'bits' })
  const findings = new Findings(
    finding => {
      found.push(finding)
      onFinding()
    },
    finding => round.note(finding),
  )
  const never = new AbortController().signal
  const options = { findings, startProgress, config, round, repair, signal: signal ?? never }
  const result = await bitsProof.prove(dataDir, options)
  if (result.isWhole) round.end()
  else round.save()
  return { found, faults: found.filter(({ weight }) => weight === 'fault'), round, ...result }
}

const ship = (config: string) =>
  runSyncer({
    config: loadConfig(config),
    log: pino({ level: 'silent' }),
    once: true,
    signal: new AbortController().signal,
  })

/** A shipped file of every kind. */
function everyKind(tree: ShippedTree): Record<string, string> {
  const segment = tree.segment(1)
  const parquet = tree.compacted(segment, 1)
  const listed = { rows: 1, exchange_us: null, recv_us: null, schema_version: 1, columns: 'x' }
  const file = { path: parquet, bytes: tree.read(parquet).length, sha256: sha256(tree.read(parquet)), ...listed }
  writeFinishedList(tree.dataDir, '2026-11-20', 'h', [file])
  return {
    segment,
    manifest: withState(segment, 'manifest'),
    parquet,
    list: finishedListPath('2026-11-20', 'h'),
    quarantine: tree.quarantine(1),
  }
}

for (const kind of ['folder', 'daemon'] as const) {
  t.test(`a flipped byte in a file of any kind is found and mended from the other copy: ${kind}`, async t => {
    const folder = t.testdir()
    const tree = new ShippedTree(join(folder, 'data'))
    const { dataDir } = tree
    const nas = await startTarget(t, kind, folder)
    if (!nas) return
    const files = everyKind(tree)
    const paths = Object.values(files)
    const config = join(folder, 'edgetape.yaml')
    const sync = { ...nas.sync, graceMinutes: 0 }
    const kept = { keepHours: 1e6, minFreeGiB: 0 }
    writeFileSync(config, JSON.stringify({ exchange: { name: 'deribit' }, dataDir, sync, retention: kept }))
    await ship(config)
    const whole = filesBelow(dataDir, name => paths.includes(name))
    t.equal(whole.size, paths.length)

    t.same((await bits(dataDir, { config })).faults, [], 'all is right')

    for (const path of paths) flipByte(join(dataDir, path))
    const here = await bits(dataDir, { config })
    t.same(
      here.faults.filter(({ code }) => code === 'ROTTEN').map(({ path }) => path),
      [...paths].sort(),
      'each is told here',
    )
    t.same(damageKnown(readProofState(dataDir, 'bits') ?? {}).length, paths.length, 'and remembered')
    await ship(config)
    t.same(whole, only(visibleBelow(nas.root), paths), 'what rotted here replaces no good copy')
    const mended = await bits(dataDir, { config, repair: true })
    t.same(mended.faults, [], 'all of it is mended')
    t.same(
      filesBelow(dataDir, name => paths.includes(name)),
      whole,
      'byte for byte',
    )
    t.equal(namesBelow(join(dataDir, 'state/damaged')).length, paths.length, 'what rotted is kept')
    t.same(damageKnown(readProofState(dataDir, 'bits') ?? {}), [])

    for (const path of paths) flipByte(join(nas.root, path))
    const there = await bits(dataDir, { config })
    t.same(
      there.faults.map(({ code }) => code),
      paths.map(() => 'COPY_ROTTEN'),
      'each is told at the target',
      { there },
    )
    const again = await bits(dataDir, { config, repair: true })
    t.same(again.faults, [], 'and brought there again')
    t.same(only(visibleBelow(nas.root), paths), whole)

    if (kind === 'folder') {
      const [ledger = ''] = namesBelow(join(dataDir, 'state/syncer')).filter(name => name.endsWith('20.jsonl'))
      const path = join(dataDir, 'state/syncer', ledger)
      const sum = sha256(tree.read(files['segment'] ?? ''))
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll(sum, sha256('another')))
      const untrue = await bits(dataDir, { config })
      t.ok(untrue.faults.every(({ code }) => code === 'LEDGER_UNTRUE') && untrue.faults.length > 0, 'the ledger', {
        untrue,
      })
      t.same((await bits(dataDir, { config, repair: true })).faults, [], 'is written anew')
      t.same((await bits(dataDir, { config })).faults, [])
      t.same(only(visibleBelow(nas.root), paths), whole, 'and the good copies stay')
    }

    // Both copies of one file.
    for (const root of [dataDir, nas.root]) flipByte(join(root, files['segment'] ?? ''))
    const lost = await bits(dataDir, { config, repair: true })
    t.ok(
      lost.faults.length > 0 && lost.faults.every(({ message }) => message.includes('cannot be mended')),
      'what cannot be mended is said',
      { lost },
    )
    t.ok(((await bits(dataDir, { config })).facts['rotten'] ?? 0) > 0, 'and is told again')
  })
}

const only = (files: ReadonlyMap<string, string>, paths: readonly string[]) =>
  new Map([...files].filter(([path]) => paths.includes(path)))

t.test('what is no longer here is proven in the folder where it went, by what lies beside it', async t => {
  const folder = t.testdir()
  const tree = new ShippedTree(join(folder, 'data'))
  const nas = join(folder, 'nas')
  const { segment = '', manifest = '', parquet = '' } = everyKind(tree)
  const config = join(folder, 'edgetape.yaml')
  const all = { exchange: { name: 'deribit' }, dataDir: tree.dataDir, sync: { target: nas, graceMinutes: 0 } }
  writeFileSync(config, JSON.stringify({ ...all, retention: { keepHours: 1e6, minFreeGiB: 0 } }))
  await ship(config)
  for (const name of ['raw', 'parquet', 'lists', 'quarantine', 'state/syncer', 'state/compactor'])
    rmSync(join(tree.dataDir, name), { recursive: true, force: true })
  tree.segment(2, 'another day', Date.parse('2026-11-25T00:00:00Z'))
  await ship(config)
  t.same((await bits(tree.dataDir, { config })).faults, [])
  flipByte(join(nas, segment))
  flipByte(join(nas, parquet))
  const { faults } = await bits(tree.dataDir, { config, repair: true })
  t.same(faults.map(({ path }) => path).sort(), [join(nas, parquet), join(nas, segment)])
  matchAll(
    t,
    faults.map(({ message }) => message),
    [/cannot be mended: it is not here any more/, /cannot be mended: it is not here any more/],
  )
  t.ok(existsSync(join(nas, manifest)))
})

t.test('Parquet that rotted is made anew from raw where there is no other copy', async t => {
  const folder = t.testdir()
  const dataDir = join(folder, 'data')
  const quote =
    '{"params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1795000000000,"instrument_name":"BTC-PERPETUAL"}}}'
  const { segment } = sealSegment(dataDir, 'quote', [...rawLines([quote]), Buffer.from('no line')], { number: 1 })
  t.match(await compactOnce(dataDir), { failed: 0, segments: 1 })
  const [parquet = ''] = namesBelow(join(dataDir, 'parquet'))
  const before = readFileSync(join(dataDir, 'parquet', parquet))
  const config = join(folder, 'edgetape.yaml')
  writeFileSync(config, JSON.stringify({ exchange: { name: 'deribit' }, host: 'h', dataDir }))
  flipByte(join(dataDir, 'parquet', parquet))
  const mended = await bits(dataDir, { config, repair: true })
  matchAll(t, mended.found, [{ code: 'MENDED', message: /recreated from raw/ }, { code: 'NO_CHECKSUM' }])
  t.ok(before.equals(readFileSync(join(dataDir, 'parquet', parquet))), 'byte for byte')

  // A manifest that rotted: its segment says by itself that it is whole.
  const path = join(dataDir, withState(segment, 'manifest'))
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(
      /"sha256": ?"./,
      match => `${match.slice(0, -1)}${match.endsWith('0') ? '1' : '0'}`,
    ),
  )
  const rotten = await bits(dataDir, { config, repair: true })
  matchAll(t, rotten.faults, [{ code: 'ROTTEN', path: withState(segment, 'manifest') }], 'it is the manifest')
})

t.test('a proof that was stopped goes on where it was, and says so', async t => {
  const dataDir = join(t.testdir(), 'data')
  const tree = new ShippedTree(dataDir)
  const segments = Array.from({ length: 5 }, (_, day) =>
    tree.segment(day + 1, `segment ${day}`, Date.parse(`2026-11-1${day}T00:00:00Z`)),
  )
  tree.write('state/x', '')
  flipByte(join(dataDir, segments[1] ?? ''))
  const stop = new AbortController()
  const first = await bits(dataDir, { signal: stop.signal, onFinding: () => stop.abort() })
  matchAll(t, first, { isWhole: false, faults: [{ code: 'ROTTEN' }] })
  const state = readProofState(dataDir, 'bits')
  t.match(state?.round, { at: { date: '2026-11-11' }, facts: { rotten: 1 } })
  t.ok(JSON.stringify(state).length < 2000, 'what is remembered is small')
  const second = await commandHere(['verify', 'bits', dataDir, '--json', '--config', join(dataDir, 'none.yaml')])
  t.match(second.stderr, /continues after 2026-11-11.*with 1 fault found then; --anew starts over/)
  const lines = second.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string })
  t.match(lines.at(-1), { type: 'result', ok: false, faults: 1 }, 'the fault of before counts')
  t.match(lines.at(-2), { proof: 'bits', rotten: 1, days: 5 })
  t.equal(second.exitCode, 1)
  matchAll(t, readProofState(dataDir, 'bits'), { round: undefined, last: { faults: [{ path: segments[1] }] } })
  t.ok(existsSync(join(dataDir, 'state/verify/bits.json')))
  t.notMatch((await commandHere(['verify', 'bits', dataDir, '--config', join(dataDir, 'none.yaml')])).stderr, /goes on/)
})
