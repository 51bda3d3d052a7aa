import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compress, decompress } from 'zstd-napi'
import { runCompactor } from '../../compactor/main.js'
import { configSchema } from '../../config/schema.js'
import { finishedListsOf } from '../../formats/finished-list.js'
import { parseManifest, type Manifest } from '../../formats/manifest.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { segmentPath, withState, type SegmentName } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { compactorState } from '../../formats/receipt.js'
import { endOfSegmentMs } from '../../recorder/storage/segment-length.js'
import { greatest, least } from '../../platform/extremes.js'
import { createLogger } from '../../platform/log.js'
import { dataIdentity } from '../../platform/data-identity.js'
import { dateOf } from '../../platform/utc-date.js'

export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
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

/** @returns its sha256 */
function writeSegment(dataDir: string, name: SegmentName, manifest: Manifest, text: string): string {
  const sealed = compress(Buffer.from(text), { compressionLevel: 3 })
  const path = join(dataDir, segmentPath(name, 'sealed'))
  mkdirSync(dirname(path), { recursive: true })
  const made: Manifest = {
    ...manifest,
    run: name.run,
    number: name.number,
    bytes_raw: Buffer.byteLength(text),
    bytes_compressed: sealed.length,
    sha256: createHash('sha256').update(sealed).digest('hex'),
    md5: createHash('md5').update(sealed).digest('hex'),
  }
  writeFileSync(withState(path, 'manifest'), JSON.stringify(made))
  writeFileSync(path, sealed)
  return made.sha256
}

const manifestAt = (path: string) => parseManifest(readFileSync(withState(path, 'manifest'), 'utf8'), path)

/**
 * A day of a recording, as the product makes it: what a recorder recorded of a few seconds stands in each hour, in segments
 * as long as the recorder would make them of so much, and is converted and rolled up by the compactor.
 * @param recorded a dataDir with the sealed segments of one run
 * @returns a moment in its second hour, in the midst of what was recorded
 */
export async function makeDay(recorded: string, dataDir: string, date: string, hours: number): Promise<number> {
  const config = configSchema.parse({ dataDir, host: 'bench', exchange: { name: 'deribit' } })
  const { longestHours, littleMiB } = config.segments
  const sealed = [...rawFiles(recorded)].filter(({ state }) => state === 'sealed')
  const manifests = sealed.map(({ path }) => manifestAt(join(recorded, path)))
  const recordedUs = greatest(manifests.map(one => one.last_recv_us)) - least(manifests.map(one => one.first_recv_us))
  let momentMs = 0
  mkdirSync(dataDir, { recursive: true })
  // Before a list is written: its name has it, and one that has not is not this recorder's.
  dataIdentity(dataDir)
  for (const { path, name } of sealed) {
    const manifest = manifestAt(join(recorded, path))
    const text = decompress(readFileSync(join(recorded, path))).toString('utf8')
    const nearMs = name.startedMs
    const bytesAnHour =
      name.channel === TELLS_TIMES ? undefined : (manifest.bytes_compressed * HOUR_MS * 1000) / recordedUs
    const long = { hours: longestHours, bytes: littleMiB * 1024 * 1024 }
    for (let hour = 0; hour < hours;) {
      const hourMs = Date.parse(date) + hour * HOUR_MS
      const goesOn = Math.min(hours - hour, (endOfSegmentMs(hourMs, bytesAnHour, long) - hourMs) / HOUR_MS)
      const count = bytesAnHour === undefined ? 1 : Math.max(1, Math.min(goesOn, Math.floor(long.bytes / bytesAnHour)))
      const byMs = (at: number) => Date.parse(date) + at * HOUR_MS + ((nearMs % HOUR_MS) % 60_000) - nearMs
      const midUs = (manifest.first_recv_us + manifest.last_recv_us) / 2
      if (hour <= 1 && name.channel === 'book') momentMs = Math.floor(midUs / 1000) + byMs(1)
      const of = { ...name, startedMs: nearMs + byMs(hour), run: `${name.run.slice(0, 6)}${hour}` }
      const last = shifted(JSON.stringify(manifest), nearMs, byMs(hour + count - 1))
      const told: Manifest = {
        ...(JSON.parse(shifted(JSON.stringify(manifest), nearMs, byMs(hour))) as Manifest),
        last_recv_us: (JSON.parse(last) as Manifest).last_recv_us,
        frames: manifest.frames * count,
      }
      const texts = Array.from({ length: count }, (_, n) => shifted(text, nearMs, byMs(hour + n)))
      writeSegment(dataDir, goesOn > 1 ? { ...of, ofDate: true } : of, told, texts.join(''))
      hour += count
    }
  }
  const log = createLogger('compactor', 'silent')
  const { failing } = await runCompactor({ config, log, once: true, nowMs: () => Date.parse(date) + 2 * DAY_MS })
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
