import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

/** Who may list folders, besides `formats/`: each lists what no question about the tree is about. */
const OTHERS: Readonly<Record<string, string>> = {
  'cli/demo/folder.ts': 'whether the demo’s own folder is empty before it is removed',
  'reader/harvest.ts': 'counts all that came to the demo’s NAS, whatever it is',
  'reader/dump/files.ts': 'a folder of someone’s own, outside of any tree: files are known by their endings',
  'monitor/observe/disk-use.ts': 'what takes up the disk, whoever wrote it',
  'reader/import/source-files.ts': 'files that somebody else recorded, whatever they are called',
  'reader/query/ready-views.ts': 'the SQL files of this package',
  'compactor/date/roll-up.ts': 'a folder that is exchanged for another: whatever others put there stays',
  'platform/folder-entries.ts': 'one way to list any folder, for those named here',
  'platform/process-tree.ts': '/proc: what a process has started, and its threads',
  'platform/process-lock.ts': '/proc: what a process has open',
  'syncer/local-tree.ts': 'what a date takes up here, and folders that retention left bare',
  'syncer/place/own-place.ts': 'any folder that a target might be, in search of the mark just written there',
  'syncer/place/same-below.ts': 'the target: which of the folders that are here are links there',
  'syncer/place/tokens.ts': 'a folder that is due, in search of empty files that a pass cut off left there',
  'syncer/targets/folder-replace.ts': 'the target: what a copy that was cut off left there',
  'syncer/targets/target-folders.ts': 'the target: whether a mark is there still',
}

const PRODUCT = Object.keys(JSON.parse(readFileSync(join(packageRoot, 'rooms.json'), 'utf8')) as object)

t.test('only the walkers list the folders of a tree', async t => {
  const listing = PRODUCT.flatMap(room =>
    readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => `${room}/${name}`)
      .filter(path =>
        /\b(?:readdir|opendir|fs\.glob|globSync|folderEntries|folderNames|namesLately|filesBelow)(?:Sync)?\b/.test(
          readFileSync(join(packageRoot, path), 'utf8'),
        ),
      ),
  )
  const others = listing.filter(path => !path.startsWith('formats/')).sort()
  t.same(others, Object.keys(OTHERS).sort(), 'ask formats/ for files, or say here why not')
  t.same(
    listing.filter(path => path.startsWith('formats/')),
    ['formats/partition-folders.ts'],
  )
})

t.test('no program is handed a pattern made of a path', async t => {
  const made = PRODUCT.flatMap(room =>
    readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => `${room}/${name}`)
      .filter(path =>
        /\*\.(?:parquet|jsonl)|=\*\/|\/\*\*\//.test(codeOf(readFileSync(join(packageRoot, path), 'utf8'))),
      ),
  )
  t.same(made, ['reader/query/catalog-sql.ts'], 'whose patterns are for other programs, and escaped')
})

/** Without comments, which may speak of patterns. */
const codeOf = (text: string) => text.replace(/\/\*\*?[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
