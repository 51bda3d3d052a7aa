import { join, relative } from 'node:path'
import { countText, sizeText } from '../../platform/figures.js'
import type { AccountSummary } from '../../coverage/account/account-summary.js'
import type { CountedTables } from '../../coverage/count-tables.js'
import { accountText } from '../coverage/account-text.js'
import { indented, plainTable } from '../table.js'
import { COLUMNS } from '../../platform/wrapped.js'
import type { DemoFolder } from './folder.js'
import type { ChannelHarvest, NasHarvest, TableHarvest } from '../../reader/harvest.js'

/** All that a demo found out. */
export interface Findings {
  folder: DemoFolder
  channels: ChannelHarvest[]
  tables: TableHarvest[]
  nas: NasHarvest
  coverage: AccountSummary
  counted: CountedTables
  /** The answer of candles.sql, as a table. */
  candles: string
  /** A sealed segment with trades, and a Parquet file, relative to the NAS folder. */
  samples: { segment: string | undefined; parquet: string | undefined }
}

/** Of a terminal, less what the sections are indented by. */
export const WIDTH = COLUMNS - 2

const sum = <T>(items: readonly T[], value: (item: T) => number) =>
  items.reduce((total, item) => total + value(item), 0)

/** The report of a demo, ready to print. `command` is how a person calls edgetape from the working directory. */
export function reportText(findings: Findings, command: string): string {
  const { nas, coverage, counted, candles } = findings
  const sections: [title: string, body: string][] = [
    ['Recorded: every frame as it came, in sealed segments', recordedTable(findings.channels)],
    ['Compacted: sorted Parquet', parquetTable(findings.tables)],
    [
      'Copied to the NAS',
      `${countText(nas.files)} files, ${sizeText(nas.bytes)}; each checksum computed again over there and found right`,
    ],
    ['Coverage: expected against recorded', accountText(coverage, counted, WIDTH)],
    ['Asked over the NAS folder: the busiest perpetual, beside best bid and ask', candles],
    ['Where it is', whereText(findings.folder)],
    ['Try next', tryNext(findings, command)],
  ]
  return sections.map(([title, body]) => `${title}\n\n${indented(body)}\n`).join('\n')
}

function recordedTable(channels: ChannelHarvest[]): string {
  const row = ({ channel, segments, frames, bytesRaw, bytesCompressed }: ChannelHarvest) => [
    channel,
    countText(segments),
    countText(frames),
    sizeText(bytesRaw),
    sizeText(bytesCompressed),
    (bytesRaw / bytesCompressed).toFixed(1),
  ]
  const total = {
    channel: 'all',
    segments: sum(channels, channel => channel.segments),
    frames: sum(channels, channel => channel.frames),
    bytesRaw: sum(channels, channel => channel.bytesRaw),
    bytesCompressed: sum(channels, channel => channel.bytesCompressed),
  }
  const head = ['channel', 'segments', 'frames', 'as received', 'on disk', 'ratio']
  return plainTable(head, [...channels, total].map(row), [1, 2, 3, 4, 5])
}

function parquetTable(tables: TableHarvest[]): string {
  const rows = tables.map(({ table, rows, files, bytes }) => [
    table,
    countText(rows),
    countText(files),
    sizeText(bytes),
  ])
  return plainTable(['table', 'rows', 'files', 'size'], rows, [1, 2, 3])
}

function whereText({ root, dataDir, nas, config, logs }: DemoFolder): string {
  const lines: [path: string, meaning: string][] = [
    [dataDir, 'what the recorder and the compactor wrote'],
    [nas, 'the same tree, on the "NAS"'],
    [config, 'the config of this run'],
    [logs, 'what each process had to say'],
  ]
  const paths = lines.map(([path]) => fromHere(path))
  const width = Math.max(...paths.map(path => path.length))
  return lines.map(([, meaning], i) => `${(paths[i] ?? root).padEnd(width)}  ${meaning}`).join('\n')
}

function tryNext({ folder, samples }: Findings, command: string): string {
  const nas = quoted(fromHere(folder.nas))
  const file = samples.segment ?? samples.parquet
  return [
    ...(file === undefined ? [] : [`${command} dump ${quoted(fromHere(join(folder.nas, file)))} | head -n 3`]),
    `${command} query --path ${nas} --file ${quoted(fromHere(join(folder.root, 'candles.sql')))}`,
    `${command} coverage --path ${nas} --markdown`,
  ].join('\n')
}

/** The shorter of the path from the working directory and the whole path. */
export function fromHere(path: string): string {
  const near = relative(process.cwd(), path)
  return near.length < path.length && !near.startsWith('../..') ? near : path
}

/** Fit for a shell. */
export function quoted(path: string): string {
  return /^[A-Za-z0-9_./=:@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
