import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { decompress } from 'zstd-napi'
import { deribitConfig, type DeribitConfig } from '../../exchanges/deribit/config.js'
import { parseInstruments } from '../../exchanges/deribit/instruments.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { parseManifest, type Manifest } from '../../formats/manifest.js'
import { withState, type SegmentName } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { readStatus } from '../../formats/status.js'
import { greatest, least } from '../../platform/extremes.js'
import { packageRoot } from '../../platform/package-info.js'
import { HOUR_MS, periodsMs, polled, type BytesIn } from './hours.js'

/** What was recorded of a family in some seconds, and what each hour brings of it. */
export interface RecordedFamily {
  name: SegmentName
  manifest: Manifest
  text: string
  bytesIn: BytesIn
}

/** Of books, which come last. */
const RECORDED_FRAMES = 1000

/** A few seconds of all families, by a recorder of the simulated exchange. */
export async function recordedFamilies(scratch: string): Promise<RecordedFamily[]> {
  const config = deribitConfig.parse({ name: 'deribit' })
  const dataDir = join(scratch, 'recorded')
  await record(dataDir, scratch, sinceThePollBefore(config))
  const sealed = [...rawFiles(dataDir)].filter(({ state }) => state === 'sealed')
  const found = sealed.map(({ path, name }) => {
    const manifest = parseManifest(readFileSync(join(dataDir, withState(path, 'manifest')), 'utf8'), path)
    return { name, manifest, text: decompress(readFileSync(join(dataDir, path))).toString('utf8') }
  })
  const periods = periodsMs(instrumentsIn(found), config)
  const manifests = found.map(({ manifest }) => manifest)
  const recordedUs = greatest(manifests.map(one => one.last_recv_us)) - least(manifests.map(one => one.first_recv_us))
  return found.map(family => {
    const { bytes_compressed: bytes } = family.manifest
    const everyMs = periods.get(family.name.channel)
    const bytesIn = everyMs === undefined ? () => (bytes * HOUR_MS * 1000) / recordedUs : polled(bytes, everyMs)
    return { ...family, bytesIn }
  })
}

/** A recorder that runs all day asks for what came since the poll before; its very first polls reach far back. */
function sinceThePollBefore({ polls }: DeribitConfig) {
  const since = ({ everyMinutes }: { everyMinutes: number }) => ({ backHours: everyMinutes / 60 })
  const { candles, fundingHistory, volatilityIndex } = polls
  const spans = {
    candles: since(candles),
    fundingHistory: since(fundingHistory),
    volatilityIndex: since(volatilityIndex),
  }
  // All of them within the few seconds.
  return { ...spans, callsPerSecond: 15 }
}

async function record(dataDir: string, scratch: string, polls: object): Promise<void> {
  const exchange = await startSimulator({ port: 0, instruments: 60, rate: 200 })
  const config = join(scratch, 'recorded.yaml')
  const settings = { dataDir, host: 'bench', exchange: { name: 'deribit', url: exchange.url, polls } }
  writeFileSync(config, JSON.stringify(settings))
  const main = join(packageRoot, 'dist', 'cli', 'main.js')
  const recorder = execa(process.execPath, [main, 'record', '--config', config], { stdin: 'ignore', reject: false })
  const isRecorded = () => {
    const families = readStatus(dataDir, 'recorder')?.['families'] as Record<string, { frames: number }> | undefined
    return (families?.['book']?.frames ?? 0) > RECORDED_FRAMES
  }
  while (!isRecorded()) await delay(100)
  recorder.kill('SIGTERM')
  await recorder
  await exchange.close()
}

function instrumentsIn(families: readonly Pick<RecordedFamily, 'name' | 'text'>[]) {
  const lines = families.flatMap(({ name, text }) => (name.channel === 'instruments' ? text.trimEnd().split('\n') : []))
  const answers = lines.map(line => JSON.parse(line) as { frame: { result: unknown[] } })
  return parseInstruments(answers.flatMap(({ frame }) => frame.result)).instruments
}
