import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openEngine, type Engine } from '../../../compactor/engine.js'
import { fastPathOf } from '../../../compactor/lines/fast-path.js'
import { frameItems } from '../../../compactor/lines/frame-items.js'
import { sharedSql, tableOf, tableSql } from '../../../compactor/tables.js'
import type { Shape } from '../../../exchanges/envelope.js'
import { deribit } from '../../../exchanges/deribit/main.js'
import { capturedFiles, capturedFrames } from '../../fixtures/captured-frames.js'
import { samples } from '../fixtures/every-table.js'
import { linesOf } from '../fixtures/samples/sample.js'

const familyOf = (channel: string) =>
  deribit.families
    .flatMap(({ name, table }) => (table === undefined ? [] : [name]))
    .filter(family => channel === family || channel.startsWith(`${family}.`))
    .sort((a, b) => b.length - a.length)[0]

/** Rows of lines by the exact way, and by the short way with the exact one for the rest; how many took the fast path. */
async function compareWays(t: Test, engine: Engine, family: string, lines: readonly Buffer[]): Promise<number> {
  const table = tableOf({ exchange: 'deribit', channel: family })
  const path = join(folder, 'lines.json')
  writeFileSync(path, JSON.stringify(lines.map((line, index) => ({ line_no: index + 1, line: line.toString() }))))
  const sql = tableSql(table, 0)
  const query = sql.search(/^SELECT\b/m)
  await engine.run(`DROP SCHEMA IF EXISTS ways CASCADE; CREATE SCHEMA ways; USE ways;
    ${sharedSql()} ${sql.slice(0, query)}
    CREATE TABLE lines AS FROM read_json('${path}', columns = {line_no: 'BIGINT', line: 'VARCHAR'})`)
  const [[text] = []] = await engine.rows('SELECT shape()')
  const shape = JSON.parse(String(text)) as Shape
  const fast = fastPathOf(table, shape, 'FROM ways.lines')
  if (!fast) return 0
  const exact = (from: string) => `${frameItems(table, 0, shape, from)} ${sql.slice(query)}`
  await engine.run(`CREATE TABLE exact AS ${exact('FROM ways.lines')}; DELETE FROM exact WHERE row_no = 0`)
  await engine.run(`CREATE TABLE short AS ${fast.frameItems} ${sql.slice(query)}`)
  const [[count, others] = []] = await engine.rows(
    'SELECT count(*) FILTER (row_no = 1), count(*) FILTER (row_no = 0) FROM short',
  )
  t.equal(Number(count) + Number(others), lines.length, 'every line is taken or listed for the slow path')
  await engine.run(`CREATE TABLE others AS ${fast.others};
    DELETE FROM short WHERE row_no = 0; INSERT INTO short ${exact('FROM ways.others')}; DELETE FROM short WHERE row_no = 0`)
  t.same(
    [await engine.rows('FROM exact EXCEPT ALL FROM short'), await engine.rows('FROM short EXCEPT ALL FROM exact')],
    [[], []],
    `${family}: ${lines.length} lines, ${String(count)} on the fast path`,
  )
  return Number(count)
}

/** The frame with one member of its data after the other changed into something that its table does not expect. */
function damaged(frame: string): string[] {
  const values = [
    'null',
    '"text"',
    '"7"',
    '" 1.5"',
    '"NaN"',
    '1e999',
    '99999999999999999999',
    '1.5',
    'true',
    '{"a":1}',
    '[1]',
    '[]',
  ]
  const changed = [...frame.matchAll(/"(\w+)":(-?[\d.]+|"[^"]*"|null)(?=[,}])/g)].flatMap(
    ({ 0: all, 1: name, index }) => {
      const withMember = (member: string) => frame.slice(0, index) + member + frame.slice(index + all.length)
      return [
        ...values.map(value => withMember(`"${name}":${value}`)),
        ...['"zz":1', '"zz":null', '"zz":"a:b"', '"zz" : 1', '"z\\":z":1', `"${name}":1`].map(more =>
          withMember(`${all},${more}`),
        ),
        withMember(`"zz":2`),
        withMember(`"${String(name).replace('_', '\\u005f')}":1.5`),
      ]
    },
  )
  return changed.filter((_, index) => index % 5 === frame.length % 5 || changed.length < 100)
}

const folder = mkdtempSync(join(tmpdir(), 'edgetape-fast-path-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const open = () => openEngine({ memoryMiB: 512, threads: 1, spillFolder: folder })

t.test('the short way gives the rows of the exact one, whatever is in a frame', async t => {
  const engine = await open()
  for (const { family, frames } of samples) {
    await compareWays(t, engine, family, linesOf({ frames: [...frames, ...frames.flatMap(damaged)] }))
  }
  engine.close()
})

t.test('captured frames: the same rows, and most by the short way', async t => {
  const files = capturedFiles(t)
  if (!files) return
  const engine = await open()
  const byFamily = new Map<string, string[]>()
  for (const file of files) {
    for (const frame of capturedFrames(t, file) ?? []) {
      const family = familyOf(/"channel":"([^"]+)"/.exec(frame)?.[1] ?? '')
      if (family === undefined) continue
      byFamily.set(family, [...(byFamily.get(family) ?? []), frame])
    }
  }
  for (const [family, frames] of byFamily) {
    const fast = await compareWays(t, engine, family, linesOf({ frames }))
    if (['quote', 'book', 'ticker', 'trades'].includes(family)) {
      t.ok(fast > 0.8 * frames.length, `${family}: ${fast} of ${frames.length}`)
    }
  }
  engine.close()
})
