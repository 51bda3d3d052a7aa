import { countOf, sqlName, sqlText, UNREADABLE } from '../../platform/duckdb.js'
import { isMachineError, messageOf } from '../../platform/edge-error.js'
import { groupBy } from '../../platform/group-by.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'
import type { Identity } from '../../exchanges/table.js'
import { MadeTimes } from './made-times.js'
import { lookAtColumns } from './seen-columns.js'
import type { CandidateFile } from './candidate-files.js'

/** What fell out of `staged`. */
export interface Duplicates {
  rows: number
  /** Frames of which no row is left. */
  frames: number
}

export interface DuplicatesQuestion {
  identity: Identity
  /** Of `staged`. */
  columns: readonly Column[]
  /** Starts the names of this segment's connections, as `CandidateFile.origin` does those of the others. */
  origin: string
  /** Files with rows that were written before. */
  candidateFiles: readonly CandidateFile[]
  /** How far copies without a number of their own may be apart. */
  windowMs: number
  /** Called with candidate files that cannot be read: duplicates in them stay unknown. */
  onUnreadable: (path: string, message: string) => void
  /** When rows of files were made, as far as earlier questions found out. */
  madeTimes?: MadeTimes
}

/** Rows looked at together: bounds the memory of sorting them. */
const ROWS_AT_ONCE = 500_000
/** The columns of each row that its receiver added. */
const RECEIVED = ['recv_ts', 'conn', 'seq', 'source']

/**
 * Removes from `staged` the rows of events that are in it twice or have their row in a candidate file. Of copies in `staged` the
 * one received first stays. Rows of channels that came by one connection only are not looked at, unless they may have
 * been asked for later, or a number came twice.
 */
export async function dropDuplicates(engine: Engine, question: DuplicatesQuestion): Promise<Duplicates> {
  const columns = question.columns.map(({ name }) => name)
  const candidateFiles = await openCandidateFiles(engine, columns, question)
  const candidates = await countCandidates(engine, columns, question, candidateFiles)
  if (candidates === 0 || (await isAllDifferent(engine, columns, question, candidateFiles)))
    return { rows: 0, frames: 0 }
  await engine.run('CREATE OR REPLACE TABLE duplicates (id BIGINT)')
  const buckets = Math.ceil(candidates / ROWS_AT_ONCE)
  for (let bucket = 0; bucket < buckets; bucket++) {
    const keys = keyOf(question.identity, columns).map(sqlName).join(', ')
    const inBucket = buckets === 1 ? 'true' : `hash(${keys}) % ${buckets} = ${bucket}`
    await engine.run(`INSERT INTO duplicates ${duplicatesSql(columns, question, candidateFiles, inBucket)}`)
  }
  return removeDuplicates(engine, question.identity)
}

const keyOf = (identity: Identity, columns: readonly string[]) =>
  identity.key === 'payload'
    ? columns.filter(column => column !== 'row_no' && !RECEIVED.includes(column))
    : [...identity.key]

/**
 * Brings the keys of rows in candidate files that may be copies to table `earlier`. Older files may lack a column; it counts
 * as NULL.
 * @returns whether there may be any
 */
async function openCandidateFiles(engine: Engine, columns: string[], question: DuplicatesQuestion): Promise<boolean> {
  if (question.candidateFiles.length === 0) return false
  const { identity, windowMs } = question
  const kept = new Set([...keyOf(identity, columns), channelOf(columns), 'recv_ts', 'seq'])
  const [[first, last] = []] = await engine.rows(`SELECT epoch_us(min(recv_ts)), epoch_us(max(recv_ts)) FROM staged`)
  if (first === null || first === undefined) return false
  const windowUs = windowMs * 1000
  const near = `recv_ts BETWEEN make_timestamptz(${countOf(first) - windowUs}) AND make_timestamptz(${countOf(last) + windowUs})`
  const names = 'instrument_name IS NULL OR instrument_name IN (SELECT DISTINCT instrument_name FROM staged)'
  const made = identity.reach === 'days' ? await madeAbout(engine, columns) : undefined
  const { madeTimes = new MadeTimes() } = question
  const candidateFiles = made
    ? await madeTimes.mayHold(engine, question.candidateFiles, made.fromUs, made.toUs)
    : question.candidateFiles
  const where = `(${names}) AND ${identity.reach === 'near' ? near : made ? madeWithin(made) : 'true'}`
  const selected = [...kept].map(sqlName).join(', ')
  await engine.run(`CREATE OR REPLACE TABLE earlier AS
    SELECT ${selected}, '' AS connection FROM staged LIMIT 0`)
  const table = (origin: string, paths: readonly string[]) =>
    engine.run(`INSERT INTO earlier BY NAME
      SELECT ${identity.unit === 'frame' ? 'DISTINCT' : ''} ${selected}, ${sqlText(origin)} || conn AS connection
      FROM ((SELECT * EXCLUDE (row_no) FROM staged LIMIT 0) UNION ALL BY NAME
        SELECT * FROM read_parquet([${paths.map(sqlText).join(', ')}], union_by_name = true, hive_partitioning = false))
      WHERE ${where}`)
  for (const [origin, files] of groupBy(candidateFiles, ({ origin }) => origin))
    await tableAll(files, paths => table(origin, paths), question.onUnreadable)
  return candidateFiles.length > 0
}

/** Reads files together: one after the other takes several times as long. Where that fails, each is asked for by itself. */
async function tableAll(
  files: readonly CandidateFile[],
  table: (paths: readonly string[]) => Promise<void>,
  onUnreadable: DuplicatesQuestion['onUnreadable'],
): Promise<void> {
  const paths = files.map(({ path }) => path)
  try {
    await table(paths)
    return
  } catch (error) {
    if (isMachineError(error)) throw error
  }
  for (const path of paths) {
    try {
      await table([path])
    } catch (error) {
      if (isMachineError(error) || !UNREADABLE.test(messageOf(error))) throw error
      onUnreadable(path, messageOf(error))
    }
  }
}

/** Copies are known by their numbers: no more than this is asked of the times that the exchange gives them. */
const APART_US = 2 * 86_400_000_000

interface Made {
  fromUs: number
  toUs: number
}

/** About when the staged rows were made, by the exchange's time, whenever they came; undefined where that is not known of all. */
async function madeAbout(engine: Engine, columns: readonly string[]): Promise<Made | undefined> {
  if (!columns.includes('exchange_ts')) return undefined
  const [[first, last, untimed] = []] = await engine.rows(
    'SELECT epoch_us(min(exchange_ts)), epoch_us(max(exchange_ts)), count(*) - count(exchange_ts) FROM staged',
  )
  if (countOf(untimed) > 0 || first === null || last === null) return undefined
  return { fromUs: countOf(first) - APART_US, toUs: countOf(last) + APART_US }
}

/** SQL for rows that were made then: all else in many days' files is passed over. */
const madeWithin = ({ fromUs, toUs }: Made) =>
  `exchange_ts BETWEEN make_timestamptz(${fromUs}) AND make_timestamptz(${toUs})`

/**
 * How many rows are to be looked at. Marks in table `suspects` the channels that more than one connection brought, or one with a number twice; where
 * copies may have been asked for later, every row counts.
 */
async function countCandidates(
  engine: Engine,
  columns: string[],
  { identity, origin, columns: ofStaged }: DuplicatesQuestion,
  candidateFiles: boolean,
): Promise<number> {
  const channel = channelOf(columns)
  if (identity.reach === 'days') {
    const [[count] = []] = await engine.rows('SELECT count(*) FROM staged WHERE row_no > 0')
    return countOf(count)
  }
  const twice = (await mayBeTwice(engine, ofStaged, identity)) ? twiceSql(columns, identity) : ''
  if (!candidateFiles && twice === '' && (await isOneConnection(engine))) return 0
  const suspects = `SELECT ${channel} AS suspect FROM (
      SELECT ${channel}, ${sqlText(origin)} || conn AS connection
      FROM (SELECT DISTINCT ${channel}, conn FROM staged WHERE row_no > 0)
      ${candidateFiles ? `UNION SELECT DISTINCT ${channel}, connection FROM earlier` : ''}
    ) WHERE ${channel} IS NOT NULL GROUP BY ALL HAVING count(*) > 1 ${twice}`
  // Mostly there are none: then no table is made.
  const [first] = await engine.rows(`${suspects} LIMIT 1`)
  if (first === undefined) return 0
  await engine.run(`CREATE OR REPLACE TABLE suspects AS ${suspects}`)
  const [[count] = []] = await engine.rows(
    `SELECT count(*) FROM staged WHERE row_no > 0 AND ${channel} IN (SELECT suspect FROM suspects)`,
  )
  return countOf(count)
}

/** True where that is plain from what DuckDB noted; to look through the rows takes longer. */
async function isOneConnection(engine: Engine): Promise<boolean> {
  const [conn] = await lookAtColumns(engine, [{ name: 'conn', type: 'VARCHAR' }])
  return conn?.onlyText !== undefined
}

/**
 * Whether a connection may have brought an event twice: not where the numbers of events, without the texts of their keys, are all
 * different. To see that takes a seventh of the time.
 */
async function mayBeTwice(engine: Engine, columns: readonly Column[], identity: Identity): Promise<boolean> {
  if (identity.numbered === undefined) return false
  const numbers = columns.filter(({ name, type }) => type === 'BIGINT' && identity.key.includes(name))
  if (identity.key === 'payload' || numbers.length === 0) return true
  const key = numbers.map(({ name }) => sqlName(name)).join(', ')
  const [[rows, different] = []] = await engine.rows(
    `SELECT count(*), count(DISTINCT hash(${key})) FROM staged WHERE ${headsOf(identity)}`,
  )
  return countOf(rows) !== countOf(different)
}

/** Channels of which one connection brought the same number twice: that number says that it is the same event. */
function twiceSql(columns: readonly string[], identity: Identity): string {
  const channel = channelOf(columns)
  const key = [...new Set([channel, 'conn', ...keyOf(identity, columns)])].map(sqlName).join(', ')
  return `UNION SELECT ${channel} FROM staged WHERE ${headsOf(identity)} AND ${identity.numbered} GROUP BY ${key} HAVING count(*) > 1`
}

/** True where no key occurs twice; to see that costs a fraction of finding the copies. Asked where few are expected. */
async function isAllDifferent(
  engine: Engine,
  columns: string[],
  question: DuplicatesQuestion,
  candidateFiles: boolean,
) {
  const { identity } = question
  if (identity.reach === 'near' || identity.unit === 'frame') return false
  const key = `hash(${keyOf(identity, columns).map(sqlName).join(', ')}) AS key`
  const [[rows, keys] = []] = await engine.rows(`SELECT count(*), count(DISTINCT key) FROM (
    SELECT ${key} FROM staged WHERE row_no > 0 ${candidateFiles ? `UNION ALL SELECT ${key} FROM earlier` : ''})`)
  return countOf(rows) === countOf(keys)
}

/** A row of each event, in SQL. */
const headsOf = ({ unit }: Identity) => (unit === 'frame' ? 'row_no = 1' : 'row_no > 0')

/** What a connection subscribes to: the column that says whether two of them brought the same. */
const channelOf = (columns: readonly string[]) => (columns.includes('channel') ? 'channel' : 'instrument_name')

/** The rowids of rows in `staged` that are copies. */
function duplicatesSql(
  columns: string[],
  question: DuplicatesQuestion,
  candidateFiles: boolean,
  inBucket: string,
): string {
  const { identity, origin, windowMs } = question
  const key = keyOf(identity, columns)
  const numbered = identity.numbered === undefined ? 'false' : `coalesce(${identity.numbered}, false)`
  // Equality of many columns is looked up by one number; the times in it make an accident all but impossible.
  const keys =
    identity.key === 'payload' ? `exchange_ts, hash(${key.map(sqlName).join(', ')})` : key.map(sqlName).join(', ')
  const named = Array.from({ length: identity.key === 'payload' ? 2 : key.length }, (_, index) => `k${index}`)
  const channel = channelOf(columns)
  const suspect = identity.reach === 'days' ? 'true' : `${channel} IN (SELECT suspect FROM suspects)`
  const heads = headsOf(identity)
  const as = `(id, ours, recv_ts, seq, connection, numbered, ${named.join(', ')})`
  const ours = `SELECT rowid, 1, recv_ts, seq, ${sqlText(origin)} || conn, ${numbered}, ${keys}
    FROM staged WHERE ${heads} AND ${suspect} AND ${inBucket}`
  const theirs = `SELECT -1, 0, recv_ts, seq, connection, ${numbered}, ${keys} FROM earlier WHERE ${suspect} AND ${inBucket}`
  // The n-th of equal rows of one connection is the copy of the n-th of another: what a connection says twice, it means.
  return `WITH pool${as} AS (${ours}${candidateFiles ? ` UNION ALL ${theirs}` : ''}), counted AS (
    SELECT *, CASE WHEN numbered THEN 1
      ELSE row_number() OVER (PARTITION BY ${named.join(', ')}, connection ORDER BY recv_ts, seq) END AS nth
    FROM pool
  ), placed AS (
    SELECT *, row_number() OVER same AS place, first_value(recv_ts) OVER same AS first_ts
    FROM counted
    WINDOW same AS (PARTITION BY ${named.join(', ')}, nth ORDER BY ours, recv_ts, connection, seq, id)
  )
  SELECT id FROM placed WHERE ours = 1 AND place > 1
    AND (numbered OR abs(epoch_us(recv_ts) - epoch_us(first_ts)) <= ${windowMs * 1000})`
}

/** Deletes what `duplicates` names, and counts frames that lost all of their rows. */
async function removeDuplicates(engine: Engine, identity: Identity): Promise<Duplicates> {
  const copies = 'rowid IN (SELECT id FROM duplicates)'
  if (identity.unit === 'frame') {
    await engine.run(`INSERT INTO duplicates SELECT rowid FROM staged
      WHERE (conn, seq) IN (SELECT (conn, seq) FROM staged WHERE ${copies}) AND row_no > 1`)
  }
  const [[rows] = []] = await engine.rows('SELECT count(*) FROM duplicates')
  if (countOf(rows) === 0) return { rows: 0, frames: 0 }
  const [[frames] = []] = await engine.rows(`SELECT sum(heads) FROM (
      SELECT count(*) FILTER (row_no = 1) AS heads FROM staged
      WHERE row_no > 0 AND (conn, seq) IN (SELECT (conn, seq) FROM staged WHERE ${copies})
      GROUP BY conn, seq HAVING bool_and(${copies})
    )`)
  await engine.run(`DELETE FROM staged WHERE ${copies}`)
  return { rows: countOf(rows), frames: countOf(frames) }
}
