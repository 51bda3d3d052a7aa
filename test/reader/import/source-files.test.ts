import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { ImportNotes } from '../../../reader/import/import-notes.js'
import { sourceFiles, sourceLines } from '../../../reader/import/source-files.js'
import { matchAll } from '../../fixtures/match-all.js'
import { holds } from '../../fixtures/holds.js'

const folder = t.testdir()
const path = join(folder, 'source')

async function linesFrom(from: number): Promise<{ lines: { text: string; endsAt: number }[]; bytes: number }> {
  const lines: { text: string; endsAt: number }[] = []
  let bytes = 0
  for await (const { line, endsAt } of sourceLines(path, from, read => (bytes += read)))
    lines.push({ text: line.toString('latin1'), endsAt })
  return { lines, bytes }
}

const line = fc.string({ unit: fc.constantFrom('a', '\r', '\0', 'ÿ', ' '), maxLength: 30 })

t.test(
  'lines come whole, packed or not, in one packed piece or several; from each end of a line on, the rest',
  async t => {
    await holds(
      t,
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom(0, 1, 3),
        fc.nat(),
        async (texts, endsWithFeed, pieces, at) => {
          // prettier-ignore
          const text = texts.join('\n') + (endsWithFeed && texts.length > 0 ? '\n' : '')
          const bytes = Buffer.from(text, 'latin1')
          const part = Math.ceil(bytes.length / Math.max(1, pieces))
          // As `cat a.gz b.gz` makes it.
          const packed = Array.from({ length: pieces }, (_, piece) => gzipSync(bytes.subarray(piece * part, (piece + 1) * part))) // prettier-ignore
          const file = pieces === 0 ? bytes : Buffer.concat(packed)
          writeFileSync(path, file)
          const wanted = text === '' ? [] : text.split('\n')
          if (wanted.at(-1) === '') wanted.pop()
          const { lines, bytes: read } = await linesFrom(0)
          assert.deepEqual(
            lines.map(({ text }) => text),
            wanted,
          )
          assert.equal(read, file.length, 'all bytes of the file are told')
          const from = lines[at % Math.max(1, lines.length)]
          if (from) assert.deepEqual((await linesFrom(from.endsAt)).lines, lines.slice(lines.indexOf(from) + 1))
        },
      ),
      { numRuns: 150 },
    )
  },
)

t.test('a packed file that is cut, or spoilt, gives what stands before, and says that it is torn', async t => {
  const text = Array.from({ length: 50_000 }, (_, at) => `${at} ${Math.sin(at)}\n`).join('')
  const packed = gzipSync(text)
  for (const [name, bytes] of Object.entries({
    cut: packed.subarray(0, packed.length - 100),
    'cut in its end': packed.subarray(0, packed.length - 4),
    spoilt: Buffer.from(packed).fill(0xff, packed.length >> 1, (packed.length >> 1) + 40),
  })) {
    writeFileSync(path, bytes)
    const seen: string[] = []
    const read = async () => {
      for await (const { line } of sourceLines(path, 0, () => undefined)) seen.push(line.toString())
    }
    await t.rejects(read(), { code: 'IMPORT_TORN', path, hint: /import it again/ }, name)
    // What a spoilt piece was unpacked to before it was found out is no line of the file.
    const whole = text.split('\n')
    const good = seen.findIndex((line, at) => line !== whole[at])
    t.ok(seen.length > 100 && (name === 'spoilt' || good < 0), `${name}: ${seen.length} lines`)
  }
})

t.test('a file that is no file of lines is refused before it fills the memory', async t => {
  writeFileSync(path, '')
  truncateSync(path, 70 * 1024 * 1024)
  await t.rejects(linesFrom(0), { code: 'IMPORT_LINE_TOO_LONG' })
})

t.test('a file that goes away before its turn is one that cannot be read, not the end of the process', async t => {
  const gone = sourceLines(join(folder, 'gone'), 0, () => undefined)
  await t.rejects(gone.next(), { code: 'IMPORT_TORN', message: /gone cannot be read/ })
})

t.test('files are taken as they were named, those of a folder by their path, without what is hidden', t => {
  const root = t.testdir({
    b: { '2.gz': '22', '10.gz': '1', '.hidden': 'x', '.cache': { z: 'x' } },
    a: { deep: { er: { x: 'xyz' } } },
  })
  const names = (...paths: string[]) => sourceFiles(paths).map(({ path }) => path.slice(root.length + 1))
  t.same(names(root), ['a/deep/er/x', 'b/10.gz', 'b/2.gz'])
  t.same(names(join(root, 'b/2.gz'), join(root, 'a')), ['b/2.gz', 'a/deep/er/x'])
  t.match(sourceFiles([join(root, 'b/2.gz')])[0], { bytes: 2, modifiedMs: Number })
  t.throws(() => sourceFiles([join(root, 'b/none')]), { code: 'IMPORT_NO_FILE', message: /none is not there/ })
  t.throws(() => sourceFiles([join(root, 'b/2.gz/none')]), { code: 'IMPORT_NO_FILE' })
  t.throws(() => sourceFiles([]), { code: 'IMPORT_NO_FILE' })
  t.end()
})

t.test('a link to a folder is followed; one that leads round is not gone round', t => {
  const root = t.testdir({ data: { one: '1' }, elsewhere: { two: '2' } })
  symlinkSync(join(root, 'data'), join(root, 'data/again'))
  symlinkSync('..', join(root, 'elsewhere/up'))
  symlinkSync(join(root, 'elsewhere'), join(root, 'data/more'))
  const names = (path: string) => sourceFiles([path]).map(({ path }) => path.slice(root.length + 1))
  t.same(names(join(root, 'data')), ['data/more/two', 'data/one'], 'each file once')
  mkdirSync(join(root, 'empty'))
  symlinkSync('.', join(root, 'empty/self'))
  t.throws(() => names(join(root, 'empty')), { code: 'IMPORT_NO_FILE' })
  t.end()
})

t.test('what was imported is known again by its form, size and time; notes that are spoilt are no notes', t => {
  const dataDir = t.testdir()
  const file = { path: '/a b/x.gz', bytes: 10, modifiedMs: 5.5 }
  const part = { offset: 100, channels: ['a', 'b'], lastUs: 7 }
  const notes = new ImportNotes(dataDir, 'tardis')
  t.notOk(notes.isDone(file))
  notes.came(file, part)
  matchAll(t, new ImportNotes(dataDir, 'tardis').partOf(file), part, 'a killed import goes on')
  t.equal(new ImportNotes(dataDir, 'json ts us').partOf(file), undefined, 'not what is read in another way')
  notes.finished([file])
  const known = new ImportNotes(dataDir, 'tardis')
  t.ok(known.isDone(file))
  t.equal(known.partOf(file), undefined)
  for (const other of [{ bytes: 11 }, { modifiedMs: 5.6 }, { path: '/a b/y.gz' }])
    t.notOk(known.isDone({ ...file, ...other }), JSON.stringify(other))
  known.finished([{ ...file, bytes: 11 }])
  t.ok(new ImportNotes(dataDir, 'tardis').isDone(file), 'what was done before stays done')
  for (const spoilt of ['', '{"done":', 'null', '[]', '{"done":[5]}', '{"done":[],"part":{"key":"x"}}']) {
    writeFileSync(join(dataDir, 'state/import/notes.json'), spoilt)
    t.notOk(new ImportNotes(dataDir, 'tardis').isDone(file), spoilt)
  }
  t.end()
})
