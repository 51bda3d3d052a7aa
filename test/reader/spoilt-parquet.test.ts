import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { compactOnce } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeMixedTree } from '../fixtures/mixed-tree.js'

/** What may become of a file, and what is said of it. */
const SPOILT: readonly { what: string; spoil: (bytes: Buffer) => Buffer; said: RegExp }[] = [
  { what: 'cut off', spoil: bytes => bytes.subarray(0, bytes.length - 40), said: /is no whole Parquet file/ },
  { what: 'empty', spoil: () => Buffer.alloc(0), said: /is no whole Parquet file/ },
  { what: 'zeros, as after a power cut', spoil: bytes => Buffer.alloc(bytes.length), said: /is no whole Parquet file/ },
  {
    what: 'a footer of garbage',
    spoil: bytes => bytes.fill(0xff, bytes.length - 80, bytes.length - 8),
    said: /cannot be read/,
  },
  { what: 'pages of garbage', spoil: bytes => bytes.fill(0xff, 4, 200), said: /cannot be read/ },
]

const sound = t.testdir()
writeMixedTree(sound)
await compactOnce(sound)

for (const { what, spoil, said } of SPOILT) {
  t.test(`a Parquet file that is spoilt (${what}) is named by whoever reads it`, async t => {
    const root = t.testdir()
    cpSync(sound, root, { recursive: true })
    const files = [...parquetFiles(root)].filter(({ folder }) => folder.table === 'trades' || folder.table === 'book')
    for (const { path } of files) {
      if (/-(?:2|3)\.parquet$/.test(path)) writeFileSync(join(root, path), spoil(readFileSync(join(root, path))))
    }
    const commands = [
      ['coverage', '--path', root],
      ['query', 'SELECT sum(price), max(instrument_name), max(trade_id) FROM trades', '--path', root, '--no-fresh'],
      ['dump', join(root, 'parquet')],
      ['book', 'BTC-PERPETUAL', '--at', '2026-11-22T14:00:00.007', '--path', root, '--source', 'parquet'],
    ]
    for (const args of commands) {
      const { stderr, exitCode } = await commandHere(args)
      t.equal(exitCode, 1, args.join(' '))
      t.match(stderr, said, args.join(' '))
      t.match(stderr, /14-\S+-[23]\.parquet/, `${args[0] ?? ''} says which`)
    }
    const { stdout, exitCode } = await commandHere(['verify', root])
    t.equal(exitCode, 1)
    t.match(stdout, /^fault: parquet\/\S+-2\.parquet: /m)
  })
}
