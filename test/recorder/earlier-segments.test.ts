import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withState } from '../../formats/raw-path.js'
import { earlierPieces } from '../../recorder/storage/earlier-segments.js'
import { FIRST_RECV_US, quoteLine, writeOpenSegment } from '../fixtures/segments.js'

const QUOTES = { exchange: 'deribit', host: 'vps1', family: 'quote', exceptRun: 'now' }

t.test('a segment that was sealed between its listing and its reading left the pause of a kill unfilled', async t => {
  const dataDir = t.testdir()
  const older = writeOpenSegment(dataDir, 3, 1)
  const newer = writeOpenSegment(dataDir, 3, 1, 2)
  const lines = [1, 2, 3].map(n => `${quoteLine(n)}\n`).join('')

  const pieces = earlierPieces({ dataDir, ...QUOTES })
  t.same(pieces.next().value, {
    type: 'segment',
    compressedBytes: statSync(join(dataDir, newer)).size,
    startedUs: FIRST_RECV_US,
  })
  for (const path of [older, newer]) renameSync(join(dataDir, path), join(dataDir, withState(path, 'sealed')))
  const read = Array.from(pieces, piece => (piece.type === 'bytes' ? Buffer.from(piece.bytes).toString() : '| '))
  t.equal(read.join(''), `${lines}| ${lines}`)
})
