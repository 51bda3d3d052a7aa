import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { decompress } from 'zstd-napi'
import { runCompactor } from '../../compactor/main.js'
import { configSchema } from '../../config/schema.js'
import { finishedListsOf } from '../../formats/finished-list.js'
import type { Manifest } from '../../formats/manifest.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { segmentPath, withState, type SegmentName } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { compactorState } from '../../formats/receipt.js'
import { dataIdentity } from '../../platform/data-identity.js'
import { localDisk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { createLogger } from '../../platform/log.js'
import { dateOf } from '../../platform/utc-date.js'
import { SEAL_LEVEL } from '../../platform/zstd.js'
import { SealedCopy } from '../../recorder/storage/sealed-copy.js'
import { HOUR_MS, segmentsOf } from './hours.js'
import type { RecordedFamily } from './recorded-families.js'

export const DAY_MS = 86_400_000
const MIB = 1024 * 1024
/** Of the journal lines are written anew for each date: it says when things were. */
const TELLS_TIMES = 'journal'

/** Times in µs or ms near the recording's, wherever they stand. */
function shifted(text: string, nearMs: number, byMs: number): string {
  return text.replace(/\b1[78]\d{11}(?:\d{3})?\b/g, digits => {
    const unit = digits.length === 16 ? 1000 : 1
    const value = Number(digits)
    return Math.abs(value / unit - nearMs) < 2 * DAY_MS ? String(value + byMs * unit) : digits
  })
}

/** No power cut is survived by what is measured and then removed. */
const disk = { ...localDisk, sync: () => undefined }

/** @returns its sha256 */
function writeSegment(dataDir: string, name: SegmentName, manifest: Manifest, text: string): string {
  const lines = Buffer.from(text)
  const path = join(dataDir, segmentPath(name, 'sealed'))
  mkdirSync(dirname(path), { recursive: true })
  const copy = new SealedCopy({ disk, level: SEAL_LEVEL }, path, lines.length)
  copy.add(lines)
  const { bytes, ...checksums } = atOnce(disk, copy.end())
  copy.close()
  const { run, number } = name
  const made: Manifest = { ...manifest, run, number, bytes_raw: lines.length, bytes_compressed: bytes, ...checksums }
  writeFileSync(withState(path, 'manifest'), JSON.stringify(made))
  return made.sha256
}

/**
 * A day of a recording, as the product makes it: the few seconds of each family stand in all hours in which it would come,
 * in segments as long as the recorder would make them of so much, and are converted and rolled up by the compactor.
 * @returns a moment in its second hour, in the midst of what was recorded
 */
export async function makeDay(
  families: readonly RecordedFamily[],
  dataDir: string,
  date: string,
  hours: number,
): Promise<number> {
  const config = configSchema.parse({ dataDir, host: 'bench', exchange: { name: 'deribit' } })
  const { longestHours, littleMiB } = config.segments
  const day = { fromMs: Date.parse(date), hours, long: { hours: longestHours, bytes: littleMiB * MIB } }
  let momentMs = 0
  mkdirSync(dataDir, { recursive: true })
  // Before a list is written: its name has it, and one that has not is not this recorder's.
  dataIdentity(dataDir)
  for (const { name, manifest, text, bytesIn } of families) {
    const nearMs = name.startedMs
    const inHourMs = (nearMs % HOUR_MS) % 60_000
    const midUs = (manifest.first_recv_us + manifest.last_recv_us) / 2
    if (name.channel === 'book') momentMs = Math.floor(midUs / 1000) - nearMs + day.fromMs + HOUR_MS + inHourMs
    for (const { hoursMs, ofDate } of segmentsOf(name.channel, bytesIn, day)) {
      const byMs = hoursMs.map(hourMs => hourMs + inHourMs - nearMs)
      const [first, last] = [byMs[0] ?? 0, byMs.at(-1) ?? 0]
      const told: Manifest = {
        ...(JSON.parse(shifted(JSON.stringify(manifest), nearMs, first)) as Manifest),
        last_recv_us: manifest.last_recv_us + last * 1000,
        frames: manifest.frames * hoursMs.length,
      }
      const hour = Math.floor((nearMs + first - day.fromMs) / HOUR_MS)
      const of = { ...name, startedMs: nearMs + first, run: `${name.run.slice(0, 6)}${hour}` }
      const texts = byMs.map(by => shifted(text, nearMs, by))
      writeSegment(dataDir, ofDate ? { ...of, ofDate } : of, told, texts.join(''))
    }
  }
  const log = createLogger('compactor', 'silent')
  const { failing } = await runCompactor({ config, log, once: true, nowMs: () => day.fromMs + 2 * DAY_MS })
  if (failing > 0) throw new Error(`the day cannot be converted: ${failing} segments failed`)
  return momentMs
}

/**
 * The same day once more under another date: names, manifests, receipts and the journal are of that date; the bytes of
 * other segments and of Parquet files are the same files, so that a tree of years is made in minutes.
 */
export function cloneDay(dataDir: string, date: string, to: string): void {
  const byMs = Date.parse(to) - Date.parse(date)
  /** Checksums of what was written anew, by those before. */
  const changed = new Map<string, string>()
  const day = { fromUs: Date.parse(date) * 1000, toUs: (Date.parse(date) + DAY_MS) * 1000 }
  for (const { path, name, state } of rawFiles(dataDir, day)) {
    if (state !== 'sealed' || dateOf(name.startedMs) !== date) continue
    const target = join(dataDir, segmentPath({ ...name, startedMs: name.startedMs + byMs }, 'sealed'))
    const manifest = readFileSync(join(dataDir, withState(path, 'manifest')), 'utf8')
    const told = JSON.parse(shifted(manifest, Date.parse(date), byMs)) as Manifest
    if (name.channel === TELLS_TIMES) {
      const text = decompress(readFileSync(join(dataDir, path))).toString('utf8')
      const of = { ...name, startedMs: name.startedMs + byMs }
      changed.set(told.sha256, writeSegment(dataDir, of, told, shifted(text, Date.parse(date), byMs)))
    } else {
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(withState(target, 'manifest'), JSON.stringify(told))
      linkSync(join(dataDir, path), target)
    }
  }
  for (const { path, folder } of parquetFiles(dataDir, { date })) {
    const target = join(dataDir, folder.path.slice(0, -date.length) + to)
    mkdirSync(target, { recursive: true })
    linkSync(join(dataDir, path), join(target, path.slice(folder.path.length + 1)))
  }
  for (const list of finishedListsOf(dataDir, date)) {
    const target = join(dataDir, list.replace(date, to))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, readFileSync(join(dataDir, list), 'utf8').replaceAll(date, to))
  }
  for (const kind of ['done', 'superseded']) {
    const state = join(compactorState(dataDir), `${kind}-${date}.jsonl`)
    if (!existsSync(state)) continue
    const text = readFileSync(state, 'utf8')
    const named = text.replaceAll(date, to).replaceAll(date.replaceAll('-', ''), to.replaceAll('-', ''))
    const proven = named.replace(/[0-9a-f]{64}/g, sha256 => changed.get(sha256) ?? sha256)
    writeFileSync(join(compactorState(dataDir), `${kind}-${to}.jsonl`), proven)
  }
}
