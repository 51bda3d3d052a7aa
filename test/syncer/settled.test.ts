import { lstatSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { runSyncer } from '../../syncer/main.js'
import { handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'

const log = pino({ level: 'silent' })

/** A synced tree of one segment, its folders' times set back by an hour, as after a quiet hour. */
async function syncedTree(folder: string) {
  const tree = new ShippedTree(join(folder, 'data'))
  tree.compacted(tree.segment(1), 1)
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  const target = join(folder, 'nas')
  const once = (keepHours = 48) =>
    runSyncer({
      config: testConfig(tree.dataDir, { target, graceMinutes: 0 }, { keepHours }),
      log,
      once: true,
      signal: new AbortController().signal,
      clock,
    })
  const settle = async () => {
    makeFoldersOld(tree.dataDir)
    return once()
  }
  t.match(await once(), { shippedFiles: 3, verifiedFiles: 3 })
  return { tree, once, settle, clock }
}

function makeFoldersOld(dataDir: string): void {
  const anHourAgo = Date.now() / 1000 - 3600
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) utimesSync(path, anHourAgo, anHourAgo)
  }
}

/** Removes the ledger: whoever still knows the files as verified did not look at them. */
function loseLedger(dataDir: string): void {
  const folder = join(dataDir, 'state', 'syncer')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.jsonl')) rmSync(join(folder, name))
  }
}

t.test('a date that is through is not read again', async t => {
  const { tree, once, settle } = await syncedTree(t.testdir())
  await settle()
  loseLedger(tree.dataDir)
  t.match(await once(), { plannedFiles: 0, shippedFiles: 0, backlogFiles: 0, unverifiedFiles: 0 })
})

t.test('a folder touched a moment ago may change again unseen, so it is read again', async t => {
  const { tree, once } = await syncedTree(t.testdir())
  loseLedger(tree.dataDir)
  t.match(await once(), { plannedFiles: 6 }, 'three shipped and verified anew')
})

t.test('a new file is seen', async t => {
  const { tree, once, settle } = await syncedTree(t.testdir())
  await settle()
  tree.segment(2)
  t.match(await once(), { shippedFiles: 2, verifiedFiles: 2, backlogFiles: 0 })
})

t.test('a new folder is seen', async t => {
  const { tree, once, settle } = await syncedTree(t.testdir())
  await settle()
  tree.segment(2, 'another hour', HOUR_14 + HOUR_MS)
  tree.quarantine(1)
  t.match(await once(), { shippedFiles: 3, backlogFiles: 0 })
})

t.test('what must be deleted is looked at', async t => {
  const { once, settle } = await syncedTree(t.testdir())
  await settle()
  t.match(await once(1), { retiredFiles: 3 })
})

t.test('something that is not ours keeps a date from being through', async t => {
  const { tree, once, settle } = await syncedTree(t.testdir())
  const path = join(tree.dataDir, 'raw/exchange=deribit/channel=trades/date=2026-11-20/x.jsonl.zst.open')
  writeFileSync(path, 'still growing')
  t.ok(lstatSync(path).isFile())
  await settle()
  loseLedger(tree.dataDir)
  t.match(await once(), { shippedFiles: 3 })
})
