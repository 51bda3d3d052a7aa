import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { parseManifest } from '../formats/manifest.js'
import { parquetFiles } from '../formats/parquet-tree.js'
import { rawFiles } from '../formats/raw-tree.js'
import { sqlText } from '../platform/duckdb.js'
import { filesBelow } from '../platform/folder-entries.js'

/** What the sealed segments of one channel hold, by their manifests. */
export interface ChannelHarvest {
  channel: string
  segments: number
  frames: number
  bytesRaw: number
  bytesCompressed: number
}

/** What Parquet holds of one table. */
export interface TableHarvest {
  table: string
  files: number
  rows: number
  bytes: number
}

export interface NasHarvest {
  files: number
  bytes: number
}

/** Sums the manifests below `root`, largest channel first. */
export function channelsOf(root: string): ChannelHarvest[] {
  const channels = new Map<string, ChannelHarvest>()
  for (const { path, state } of rawFiles(root)) {
    if (state !== 'manifest') continue
    const manifest = parseManifest(readFileSync(join(root, path), 'utf8'), path)
    const sum = channels.get(manifest.channel) ?? {
      channel: manifest.channel,
      segments: 0,
      frames: 0,
      bytesRaw: 0,
      bytesCompressed: 0,
    }
    sum.segments++
    sum.frames += manifest.frames
    sum.bytesRaw += manifest.bytes_raw
    sum.bytesCompressed += manifest.bytes_compressed
    channels.set(manifest.channel, sum)
  }
  return [...channels.values()].sort((a, b) => b.bytesRaw - a.bytesRaw)
}

/** Counts the rows of each table's files; the most first. */
export async function tablesOf(connection: DuckDBConnection, root: string, tables: string[]): Promise<TableHarvest[]> {
  const found: TableHarvest[] = []
  for (const table of tables) {
    const ofTable = [...parquetFiles(root, { table })].map(({ path }) => join(root, path))
    const list = ofTable.map(sqlText).join(', ')
    const answer = await connection.runAndReadAll(`SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata([${list}])`)
    const bytes = ofTable.reduce((sum, path) => sum + statSync(path).size, 0)
    found.push({ table, files: ofTable.length, rows: Number(answer.getRows()[0]?.[0]), bytes })
  }
  return found.sort((a, b) => b.rows - a.rows)
}

export function nasOf(root: string): NasHarvest {
  const files = [...filesBelow(root)]
  return { files: files.length, bytes: files.reduce((sum, path) => sum + statSync(join(root, path)).size, 0) }
}
