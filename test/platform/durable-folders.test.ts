/** Folders that are made on the way to a file that is to survive a power cut: each name was durable but theirs. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ownDataIdentity } from '../../platform/data-identity.js'
import { appendLinesDurable } from '../../platform/json-lines.js'
import { acquireProcessLock } from '../../platform/process-lock.js'
import { requireStorable } from '../../recorder/storable.js'
import { LedgerStore } from '../../syncer/ledger-store.js'
import { WatchedFiles } from '../fixtures/watched-files.js'

const makers: [what: string, path: string, make: (dataDir: string) => void][] = [
  [
    'the folder of segments',
    'raw/exchange=deribit',
    dataDir => {
      requireStorable(dataDir, 'deribit')
    },
  ],
  [
    'that of locks',
    'state',
    dataDir => {
      acquireProcessLock(join(dataDir, 'state/x.lock'), 'x').release()
    },
  ],
  [
    'that of receipts',
    'a/b/lines',
    dataDir => {
      appendLinesDurable(join(dataDir, 'a/b/lines'), [{}])
    },
  ],
  [
    'that of ledgers',
    'state/syncer',
    dataDir => {
      new LedgerStore(join(dataDir, 'state/syncer'), '/nas')
    },
  ],
  [
    'the identity',
    '.edgetape-data',
    dataDir => {
      ownDataIdentity(dataDir)
    },
  ],
]

for (const [what, path, make] of makers) {
  t.test(`${what} is there after a power cut`, async t => {
    const root = t.testdir({ disk: {} })
    const dataDir = join(root, 'disk', 'one', 'data')
    mkdirSync(dirname(dirname(dataDir)), { recursive: true })
    const watched = new WatchedFiles(root)
    await watched.during(() => {
      make(dataDir)
      return Promise.resolve()
    })
    const after = join(root, 'after')
    watched.afterCrash(watched.steps.length, after, { disk: 'nothing' })
    t.ok(existsSync(join(after, 'disk/one/data', path)))
    rmSync(after, { recursive: true })
  })
}
