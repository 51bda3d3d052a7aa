/**
 * An hour in minutes: what a recorder and a compactor make of sixty minutes goes to a NAS over a network that misbehaves
 * by a seeded plan, while the syncer is killed 30 times and retention deletes here as soon as it may. A reader looks at the
 * NAS all the time. In the end the NAS has all that was ever sealed, and no look found anything else.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { Random } from '../../simulator/market/random.js'
import { receiptedOutputs, recordMinute } from '../fixtures/fast-hour.js'
import { NasNetwork } from '../fixtures/nas-network.js'
import { sha256 } from '../fixtures/shipped-tree.js'

const MINUTES = 60
/** A minute takes so long. */
const MINUTE_TAKES_MS = 4000
const KILLS = 30
const SEED = Number(process.env['EDGETAPE_SEED'] ?? 20_261_120)
const MAIN = join(packageRoot, 'dist/cli/main.js')
const HOUR_MS = 3_600_000

t.setTimeout(15 * 60_000)

/** What may go wrong, and how it is put right. */
const TROUBLES: [name: string, begin: (network: NasNetwork) => void, end: (network: NasNetwork) => void][] = [
  ['cable cut', network => network.cable('down'), network => network.cable('up')],
  ['black hole', network => network.filter('-A', '-j', 'DROP'), network => network.filter('-D', '-j', 'DROP')],
  ['resets', network => network.filter('-A', ...RESET), network => network.filter('-D', ...RESET)],
  ['loss', network => network.filter('-A', ...LOSS), network => network.filter('-D', ...LOSS)],
  ['slow', network => shape(network, '2mbit'), network => shape(network, '1gbit')],
  ['rsync killed', network => killRsyncs(network), () => undefined],
  [
    'full',
    network => network.atNas('sh', '-c', `fallocate -l 63M ${network.lake}/.ballast; true`),
    network => network.atNas('rm', '-f', `${network.lake}/.ballast`),
  ],
  [
    'read-only',
    network => network.atNas('mount', '-o', 'remount,ro', network.lake),
    network => network.atNas('mount', '-o', 'remount,rw', network.lake),
  ],
]
const RESET = ['-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset']
const LOSS = ['-m', 'statistic', '--mode', 'random', '--probability', '0.1', '-j', 'DROP']

function shape(network: NasNetwork, rate: string): void {
  network.shape('tbf', 'rate', rate, 'burst', '32kb', 'latency', '50ms')
}

function killRsyncs(network: NasNetwork): void {
  if (network.rsyncs().length > 0) network.signalRsyncs('KILL')
}

t.test(`an hour on a bad network, ${KILLS} kills (EDGETAPE_SEED=${SEED})`, async t => {
  const folder = t.testdir()
  const network = await NasNetwork.start(t, folder, {
    mount: lake => [['mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', lake]],
  })
  if (!network) return
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  // An hour that is over, so that retention may take what is verified at once.
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS
  const date = new Date(hourMs).toISOString().slice(0, 10)
  const config = join(folder, 'edgetape.yaml')
  const sync = { ...network.sync(), everyMinutes: 0, graceMinutes: 0.03, timeoutSeconds: 4 }
  const retention = { keepHours: 0, minFreeGiB: 0 }
  const settings = { exchange: { name: 'deribit' }, host: 'vps1', dataDir, sync, retention, compact: { rollUp: false } }
  writeFileSync(config, JSON.stringify(settings))

  const compactor = start([process.execPath, MAIN, 'compact', '--config', config])
  t.teardown(() => compactor.kill('SIGKILL'))
  const random = new Random(SEED)
  const sealed = new Map<string, string>()
  const reader = new Reader(network.root)
  const work = { ended: false }
  const producing = produce(dataDir, hourMs, sealed)
  const reading = look(t, reader, dataDir, sealed, work)
  const troubling = trouble(network, new Random(SEED + 1))
  const kills = await killAgainAndAgain(network, config, random)
  await Promise.all([producing, troubling.done])
  const goneEarly = reader.goneHere
  await until('all is converted', () => receiptedOutputs(dataDir, date).segments * 2 === sealed.size)
  compactor.kill('SIGTERM')
  await ended(compactor)

  let left = filesLeft(dataDir)
  for (let tries = 0; tries < 30 && left.length > 0; tries++) {
    await ended(start(network.atEdge([process.execPath, MAIN, 'sync', '--once', '--config', config])))
    await sleep(2000)
    left = filesLeft(dataDir)
  }
  t.same(left, [], 'all of it was verified and has gone from here')
  work.ended = true
  await reading
  const { outputs } = receiptedOutputs(dataDir, date)
  const expected = new Map([...sealed, ...outputs])
  const there = new Map([...reader.look()].map(([path, { sha256 }]) => [path, sha256]))
  t.same([...there].sort(byPath), [...expected].sort(byPath), 'the NAS has what was ever sealed, and nothing else')
  t.equal(kills.killed, KILLS)
  t.equal(sealed.size, MINUTES * 2 * 2)
  const strange = [...reader.seen].filter(one => !expected.has(one.path) || expected.get(one.path) !== one.sha256)
  t.same(strange, [], `nothing else was visible in ${reader.looks} looks`)
  t.ok(goneEarly > 50, `of ${goneEarly} files gone from here before the end each was there`)
  const bytes = [...reader.look().values()].reduce((sum, file) => sum + file.bytes, 0)
  t.comment(
    JSON.stringify({ files: expected.size, bytes, looks: reader.looks, ...kills, troubles: troubling.happened }),
  )
})

const byPath = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1)

async function produce(dataDir: string, hourMs: number, sealed: Map<string, string>): Promise<void> {
  const random = new Random(SEED + 2)
  for (let minute = 0; minute < MINUTES; minute++) {
    for (const [path, hash] of recordMinute(dataDir, hourMs, minute, random)) sealed.set(path, hash)
    await sleep(MINUTE_TAKES_MS)
  }
}

/** Runs syncers, each of which is killed at a random moment; those that they had started live on for as long as they like. */
async function killAgainAndAgain(network: NasNetwork, config: string, random: Random) {
  const each = (MINUTES * MINUTE_TAKES_MS) / KILLS
  const found = { killed: 0, shortestMs: Infinity, longestMs: 0 }
  for (let kill = 0; kill < KILLS; kill++) {
    const lifeMs = each * random.between(0.1, 1.6)
    const syncer = start(network.atEdge([process.execPath, MAIN, 'sync', '--config', config]))
    await sleep(lifeMs)
    if (syncer.exitCode === null && syncer.kill('SIGKILL')) found.killed++
    await ended(syncer)
    found.shortestMs = Math.min(found.shortestMs, Math.round(lifeMs))
    found.longestMs = Math.max(found.longestMs, Math.round(lifeMs))
  }
  return found
}

/** Every ten seconds or so something goes wrong for some seconds. */
function trouble(network: NasNetwork, random: Random) {
  const happened: Record<string, number> = {}
  const run = async () => {
    const endsMs = Date.now() + MINUTES * MINUTE_TAKES_MS
    while (Date.now() < endsMs) {
      await sleep(random.between(2000, 9000))
      const [name, begin, end] = TROUBLES[random.int(0, TROUBLES.length - 1)] ?? []
      if (name === undefined || !begin || !end) continue
      happened[name] = (happened[name] ?? 0) + 1
      begin(network)
      await sleep(random.between(1000, 6000))
      end(network)
    }
  }
  return { happened, done: run() }
}

interface SeenFile {
  path: string
  bytes: number
  sha256: string
}

/** Someone at the NAS who opens whatever he finds. What he has read he does not read again until it changes. */
class Reader {
  readonly seen = new Set<SeenFile>()
  looks = 0
  /** Files that were gone here when he found them there. */
  goneHere = 0
  readonly #root: string
  readonly #known = new Map<string, { stamp: string; file: SeenFile }>()

  constructor(root: string) {
    this.#root = root
  }

  look(): Map<string, SeenFile> {
    this.looks++
    const files = new Map<string, SeenFile>()
    for (const path of readdirSync(this.#root, { recursive: true, encoding: 'utf8' })) {
      if (/(?:^|\/)\./.test(path)) continue
      const full = join(this.#root, path)
      const found = statSync(full)
      if (!found.isFile()) continue
      const stamp = `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`
      const known = this.#known.get(path)
      const file = known?.stamp === stamp ? known.file : { path, bytes: found.size, sha256: sha256(readFileSync(full)) }
      this.#known.set(path, { stamp, file })
      this.seen.add(file)
      files.set(path, file)
    }
    return files
  }
}

/** Looks until the end; what is gone here must be there by then, whole. */
async function look(
  t: { fail: (message: string) => unknown },
  reader: Reader,
  dataDir: string,
  sealed: ReadonlyMap<string, string>,
  work: { ended: boolean },
): Promise<void> {
  while (!work.ended) {
    const gone = [...sealed].filter(([path]) => !existsSync(join(dataDir, path)))
    const there = reader.look()
    for (const [path, hash] of gone) if (there.get(path)?.sha256 !== hash) t.fail(`${path} is gone here, and not there`)
    reader.goneHere = Math.max(reader.goneHere, gone.length)
    await sleep(150)
  }
}

function filesLeft(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(
    path => /^(?:raw|parquet|quarantine)\//.test(path) && statSync(join(dataDir, path)).isFile(),
  )
}

function start([program = '', ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore', env: { ...process.env, EDGETAPE_LOG: 'silent' } })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (condition()) return
    await sleep(500)
  }
  throw new Error(`waited too long until ${what}`)
}
