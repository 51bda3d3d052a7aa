import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { convertedDates, convertedFolders } from '../../../compactor/date/date-job.js'
import { quarantinePath } from '../../../formats/quarantine-tree.js'
import { sha256Of } from '../../../platform/sha256.js'
import { datesWithReceipts, readReceiptsOf, type Receipt } from '../../../formats/receipt.js'
import { EdgeError, isMachineError, messageOf } from '../../../platform/edge-error.js'
import { listedDates } from '../../../formats/finished-list.js'
import { parseManifest } from '../../../formats/manifest.js'
import { parquetFilesIn, parquetFolders } from '../../../formats/parquet-tree.js'
import { parseSegmentPath, withState } from '../../../formats/raw-path.js'
import { tableNamed } from '../../../compactor/tables.js'
import type { Progress } from '../../../platform/progress-bar.js'
import { openDuckDb, sqlName, sqlText } from '../../../platform/duckdb.js'
import { whyUnreadable } from '../../../formats/unreadable-parquet.js'
import type { Findings } from '../findings.js'
import type { Proof, ProofOptions } from '../proof.js'
import { proveLists } from './lists.js'

/** `edgetape verify parquet`: that what came of each segment is all there, as it was made, and nothing twice. */
export const parquetProof: Proof = {
  name: 'parquet',
  describes: 'tables against receipts, manifests and quarantine',
  byDate: true,
  goesOn: true,
  isHere: root => existsSync(join(root, 'parquet')),
  async prove(root, { findings, startProgress, date, round, signal }) {
    if (!existsSync(join(root, 'parquet'))) {
      throw new EdgeError('VERIFY_NOTHING', `no parquet/ in ${root}`, { path: root, hint: 'wanted a dataDir' })
    }
    const dates = datesOf(root, date)
    const ahead = dates.filter(day => !round.isPast(day))
    noteStrangers(root, findings, date)
    const bytesAhead = ahead.flatMap(day => convertedFiles(root, day)).reduce((sum, { bytes }) => sum + bytes, 0)
    const progress = startProgress('parquet', bytesAhead)
    const connection = await openDuckDb()
    try {
      for (const day of ahead) {
        if (signal.aborted) break
        await proveDate(root, day, connection, { findings, round, progress, signal })
      }
      // Copies of a trade may be days apart: all of them are looked at together.
      if (!signal.aborted) await proveTrades(root, dates, connection, findings)
    } finally {
      connection.closeSync()
    }
    const [segments = 0, files = 0, rows = 0] = ['segments', 'files', 'rows'].map(key => round.countOf(key))
    const text = `${segments} segments, ${files} files, ${rows} rows`
    return { text, facts: { segments, files, rows }, isWhole: !signal.aborted }
  },
}

/** Dates of which anything is here, or was: sorted. */
function datesOf(root: string, date: string | undefined): string[] {
  const all = new Set([...datesWithReceipts(root), ...convertedDates(root), ...listedDates(root)])
  return [...all].filter(day => date === undefined || day === date).sort()
}

async function proveDate(
  root: string,
  date: string,
  connection: DuckDBConnection,
  { findings, round, progress, signal }: Pick<ProofOptions, 'findings' | 'round' | 'signal'> & { progress: Progress },
): Promise<void> {
  const receipts = [...readReceiptsOf(root, date).values()]
  const named = outputsOf(receipts)
  const files = convertedFiles(root, date)
  const isBegun = round.isPast(date, '')
  if (!isBegun) {
    for (const receipt of receipts) proveSums(root, receipt, findings)
    round.count('segments', receipts.length)
    round.reached(date, '')
  }
  for (const { path, bytes } of files) {
    if (signal.aborted) return
    if (!round.isPast(date, path)) {
      round.count('rows', await proveFile(root, path, named.get(path), connection, findings))
      round.count('files')
      round.reached(date, path)
    }
    progress.advance(bytes)
  }
  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRows()
  await proveLists(root, date, { rows: rowsOf }, findings)
  const here = new Set(files.map(({ path }) => path))
  for (const [path, { segments }] of named) if (!here.has(path)) missingFile(root, path, segments, findings)
  round.reached(date)
}

/** Files that receipts speak of, with their sizes, ordered by path. */
function convertedFiles(root: string, date: string): { path: string; bytes: number }[] {
  return convertedFolders(root, date).flatMap(folder =>
    parquetFilesIn(root, folder).flatMap(({ path }) => {
      const found = statSync(join(root, path), { throwIfNoEntry: false })
      return found ? [{ path, bytes: found.size }] : []
    }),
  )
}

function noteStrangers(root: string, findings: Findings, date: string | undefined): void {
  const onStranger = (path: string) =>
    findings.add({ weight: 'note', code: 'NOT_OURS', path, message: 'is no name of ours; not looked at' })
  for (const folder of parquetFolders(root, { onStranger, date })) parquetFilesIn(root, folder, onStranger)
}

interface Named {
  rows: number
  sha256: string
  segments: string[]
}

/** What receipts say of each file; a day's file is named by several. */
function outputsOf(receipts: readonly Receipt[]): Map<string, Named> {
  const named = new Map<string, Named>()
  for (const { segment, outputs } of receipts) {
    for (const { path, rows, sha256 } of outputs) {
      const before = named.get(path)
      const segments = [...(before?.segments ?? []), segment]
      named.set(path, { rows: rows + (before?.rows ?? 0), sha256, segments })
    }
  }
  return named
}

/** Written, duplicate, quarantined and known are the frames of the manifest, and the quarantine has its lines. */
function proveSums(root: string, receipt: Receipt, findings: Findings): void {
  const { segment, sha256, frames, written, duplicates, quarantined, known } = receipt
  const sum = written + duplicates + quarantined + known
  if (sum !== frames) {
    const message = `${sum} frames are accounted for, its receipt says ${frames}`
    findings.add({ weight: 'fault', code: 'FRAMES_DIFFER', path: segment, message })
  }
  const name = parseSegmentPath(segment)?.name
  if (name && quarantined > 0) proveQuarantine(root, quarantinePath(segment, name), quarantined, findings)
  const path = join(root, withState(segment, 'manifest'))
  if (!existsSync(path)) {
    const message = 'its raw data is not here; the sums are those of the receipt alone'
    findings.add({ weight: 'unproven', code: 'NO_RAW', path: segment, message })
    return
  }
  const manifest = parseManifest(readFileSync(path, 'utf8'), path)
  if (manifest.sha256 !== sha256) {
    const message = 'it was converted from other bytes than its manifest speaks of'
    findings.add({ weight: 'fault', code: 'OTHER_SEGMENT', path: segment, message, hint: 'edgetape compact --once' })
  } else if (manifest.frames !== sum) {
    const message = `${sum} frames are accounted for, its manifest says ${manifest.frames}`
    findings.add({ weight: 'fault', code: 'FRAMES_DIFFER', path: segment, message })
  }
}

function proveQuarantine(root: string, path: string, wanted: number, findings: Findings): void {
  const text = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined
  const found = text?.split('\n').filter(line => line !== '').length
  if (found === wanted) return
  const message = `found ${found ?? 'no file with'} lines, wanted ${wanted}`
  findings.add({ weight: 'fault', code: 'QUARANTINE_DIFFERS', path, message })
}

/** @returns rows of the file */
async function proveFile(
  root: string,
  path: string,
  named: Named | undefined,
  connection: DuckDBConnection,
  findings: Findings,
): Promise<number> {
  if (!named) {
    const message = 'no receipt speaks of it'
    findings.add({ weight: 'unproven', code: 'NO_RECEIPT', path, message, hint: 'edgetape compact --once' })
    const why = await whyUnreadable(connection, join(root, path))
    if (why !== undefined) findings.add({ weight: 'fault', code: 'UNREADABLE', path, message: why })
  } else if ((await sha256Of(join(root, path))) !== named.sha256) {
    const message = `it is not the file that its receipt speaks of, ${statSync(join(root, path)).size} bytes`
    findings.add({ weight: 'fault', code: 'OTHER_BYTES', path, message, hint: 'edgetape compact --once --rebuild' })
  }
  try {
    const query = `SELECT num_rows FROM parquet_file_metadata(${sqlText(join(root, path))})`
    const rows = Number((await connection.runAndReadAll(query)).getRows()[0]?.[0])
    if (named && rows !== named.rows) {
      const message = `${rows} rows, its receipts say ${named.rows}`
      findings.add({ weight: 'fault', code: 'ROWS_DIFFER', path, message })
    }
    return rows
  } catch (error) {
    if (isMachineError(error)) throw error
    if (named) findings.add({ weight: 'fault', code: 'UNREADABLE', path, message: messageOf(error) })
    return 0
  }
}

/** What the exchange knows a trade by stands once, over all files. */
async function proveTrades(
  root: string,
  dates: readonly string[],
  connection: DuckDBConnection,
  findings: Findings,
): Promise<void> {
  const folders = new Map<string, string[]>()
  const wanted = new Set(dates)
  for (const folder of parquetFolders(root, { table: 'trades' })) {
    if (!wanted.has(folder.date)) continue
    const partition = folder.path.replace(/\/date=.*$/, '')
    const files = parquetFilesIn(root, folder).map(({ path }) => sqlText(join(root, path)))
    folders.set(partition, [...(folders.get(partition) ?? []), ...files])
  }
  for (const [path, files] of folders) {
    try {
      const identity = identityOfTrades(path)
      if (!identity) continue
      const query = `SELECT count(*) - count(DISTINCT (${identity.key}))
        FROM read_parquet([${files.join(', ')}], union_by_name = true) WHERE ${identity.numbered}`
      const copies = Number((await connection.runAndReadAll(query)).getRows()[0]?.[0])
      if (copies === 0) continue
      const message = `${copies} trades are there more than once`
      findings.add({
        weight: 'fault',
        code: 'DOUBLE_TRADES',
        path,
        message,
        hint: 'compact.duplicates: keep does that',
      })
    } catch (error) {
      findings.add({ weight: 'unproven', code: 'DOUBLE_TRADES', path, message: messageOf(error) })
    }
  }
}

/** Columns that are equal in copies of a trade, and a condition for rows that have them; undefined where nothing shows copies. */
function identityOfTrades(path: string): { key: string; numbered: string } | undefined {
  const exchange = /exchange=([^/]+)/.exec(path)?.[1] ?? ''
  const { key, numbered } = tableNamed(exchange, 'trades')?.identity ?? {}
  if (key === undefined || key === 'payload' || numbered === undefined) return undefined
  return { key: key.map(sqlName).join(', '), numbered }
}

/** Retention may have taken it, together with the raw data that it was made from. */
function missingFile(root: string, path: string, segments: readonly string[], findings: Findings): void {
  const hasRaw = segments.some(segment => existsSync(join(root, segment)))
  const message = hasRaw ? 'it is gone, but its raw data is here' : 'it is not here any more, nor is its raw data'
  findings.add({ weight: hasRaw ? 'fault' : 'unproven', code: 'MISSING', path, message })
}
