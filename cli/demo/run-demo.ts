import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from '../../platform/zod.js'
import { QuerySession } from '../../reader/query/session.js'
import { EdgeError } from '../../platform/edge-error.js'
import { packageRoot } from '../../platform/package-info.js'
import { datesOfTree } from '../../formats/tree-place.js'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { countTables } from '../../coverage/count-tables.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { tableOf } from '../query/answer-table.js'
import { parquetFiles, parquetTables } from '../../formats/parquet-tree.js'
import { rawFiles, type RawFile } from '../../formats/raw-tree.js'
import { prepareFolder, writeConfig, type DemoFolder } from './folder.js'
import { channelsOf, nasOf, tablesOf } from '../../reader/harvest.js'
import { LoggedProcesses } from '../../supervisor/logged-processes.js'
import { showProgress } from './progress.js'
import { fromHere, WIDTH, type Findings } from './report.js'

const main = fileURLToPath(new URL('../main.js', import.meta.url))
const TICK_MS = 250
/** A file is shipped in one pass and proven in a later one; more passes than these prove that something is wrong. */
const MOST_PASSES = 4

/**
 * All of it on this machine: a simulated exchange, recorder, compactor and syncer, each a process of its own, for some
 * seconds; then a clean end and a look at what there is. Nothing is left running, whatever happens.
 * @throws EdgeError DEMO_FOLDER_TAKEN, DEMO_PART_FAILED, DEMO_STOPPED, DEMO_NOT_VERIFIED
 */
export async function runDemo(path: string, exchange: string, seconds: number, stop: AbortSignal): Promise<Findings> {
  const folder = prepareFolder(path)
  const processes = new LoggedProcesses(main, folder.logs)
  const ended = AbortSignal.any([stop, processes.failed])
  try {
    await live(folder, exchange, processes, seconds, ended)
    await finish(folder, processes)
    if (stop.aborted) throw stopped()
    return await look(folder)
  } catch (error) {
    if (stop.aborted) throw stopped()
    if (processes.failed.aborted) throw processes.failed.reason
    throw error
  } finally {
    await processes.stopAll()
  }
}

function stopped(): EdgeError {
  return new EdgeError('DEMO_STOPPED', 'stopped before its end; nothing is left running')
}

async function live(
  folder: DemoFolder,
  exchange: string,
  processes: LoggedProcesses,
  seconds: number,
  ended: AbortSignal,
): Promise<void> {
  say(`starting a simulated exchange, recorder, compactor and syncer in ${fromHere(folder.root)}`)
  const simulated = processes.start('simulate', ['--port', '0', '--exchange', exchange])
  writeConfig(folder, exchange, await simulated.firstLine())
  const config = ['--config', folder.config]
  const recorder = processes.start('record', config)
  const others = [processes.start('compact', config), processes.start('sync', config)]

  const progress = showProgress(folder.dataDir, seconds)
  const startedMs = performance.now()
  try {
    while (performance.now() - startedMs < seconds * 1000) {
      await sleep(TICK_MS, undefined, { signal: ended })
      progress.show(performance.now() - startedMs)
    }
  } finally {
    progress.stop()
  }
  say('stopping: the recorder first, which seals what is open')
  await recorder.stop()
  await Promise.all([...others, simulated].map(part => part.stop()))
}

const passReport = z.object({ backlogFiles: z.number(), unverifiedFiles: z.number(), problemFiles: z.number() })

/** Converts and ships what the running parts had not come to, until all of it is proven on the other side. */
async function finish({ config, dataDir }: DemoFolder, processes: LoggedProcesses): Promise<void> {
  say('compacting and shipping the rest')
  await processes.run('compact', ['--once', '--config', config])
  // `run` does it each night: those who have the Parquet alone learn from it what is missing.
  const dates = datesOfTree(dataDir)
  for (const date of new Set(dates && [dates.first, dates.last]))
    await processes.run('coverage', ['--path', dataDir, '--date', date, '--write'])
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const answer: unknown = JSON.parse(await processes.run('sync', ['--once', '--json', '--config', config]))
    const { backlogFiles, unverifiedFiles } = passReport.parse(answer)
    if (backlogFiles + unverifiedFiles === 0) return
  }
  throw new EdgeError('DEMO_NOT_VERIFIED', `files are still not verified after ${MOST_PASSES} passes`, {
    hint: 'look into the logs of the demo folder',
  })
}

async function look(folder: DemoFolder): Promise<Findings> {
  const query = join(packageRoot, 'examples', 'candles.sql')
  copyFileSync(query, join(folder.root, 'candles.sql'))
  const session = await QuerySession.open({ root: folder.nas, fresh: undefined, note: say })
  const { connection } = session
  try {
    const tables = [...parquetTables(folder.nas).keys()]
    const candles = readFileSync(query, 'utf8')
    const account = await measureAsked(folder.nas)
    return {
      folder,
      channels: channelsOf(folder.dataDir),
      tables: await tablesOf(connection, folder.nas, tables),
      nas: nasOf(folder.nas),
      coverage: summaryOf(account, exchangeNamed),
      counted: await countTables(folder.nas, account.window, undefined, () => undefined),
      candles: await session.ask(candles, asked => tableOf(asked, candles, WIDTH)),
      samples: {
        segment: [...rawFiles(folder.nas, { mayHold: family => family === 'trades' })].find(isSealed)?.path,
        parquet: [...parquetFiles(folder.nas, { table: 'trades' })][0]?.path,
      },
    }
  } finally {
    connection.closeSync()
    session.clear()
  }
}

const isSealed = ({ state }: RawFile) => state === 'sealed'

function say(text: string): void {
  process.stderr.write(`edgetape: ${text}\n`)
}
