import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from '../../platform/zod.js'
import type { Config } from '../../config/schema.js'
import { credentialsFrom } from '../../config/secrets.js'
import { parseTarget } from '../../config/target-address.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { createLogger } from '../../platform/log.js'
import { shownUrl } from '../../platform/shown-url.js'
import { probeExchange, type ExchangeProbe } from '../../recorder/probe-exchange.js'
import { addonFindings } from './addons.js'
import { clockFinding } from './clock.js'
import { diskFindings, recordedIn } from './disk.js'
import { exchangeFailure, exchangeFindings } from './exchange.js'
import { exchangeOf } from '../../exchanges/registry.js'
import type { ExchangeConfig } from '../../exchanges/settings.js'
import { estimateVolume, type ExpectedVolume } from './expected-volume.js'
import type { Check, Finding } from './finding.js'
import { leftOpenFindings } from './left-open.js'
import { nasFinding, targetSpace } from './nas.js'
import { openFilesFinding } from './open-files.js'
import { otherRecorders } from './other-recorders.js'
import { nodeFinding, programFinding, type ProgramName } from './programs.js'
import { judgeTargetSpace } from './space.js'
import { partProblems } from './part-problems.js'

const QUICK_MS = 10_000
const EXCHANGE_MS = 60_000
const TARGET_MS = 90_000
/** The exchange's answer is waited for, and the files of dataDir are looked at. */
const DISK_MS = EXCHANGE_MS + 30_000

export function goodConfig({ exchanges, sync, dataDir }: Config, path: string): Check {
  const each = exchanges.map(exchange => `${exchange.name}, ${exchangeOf(exchange).settings.summaryOf(exchange)}`)
  const message = `${resolve(path)}: ${each.join('; ')}, into ${dataDir}, ${sync.target === undefined ? 'shipped nowhere' : `on to ${sync.target}`}`
  return found({ check: 'config', outcome: 'ok', message })
}

export function badConfig({ code, message, hint }: EdgeError): Check {
  const todo = `${hint === undefined ? '' : `${hint}\n`}what depends on the config was not looked at`
  return found({ check: 'config', outcome: 'failed', message, hint: todo, facts: { code } })
}

/** Shown, for it is easily forgotten: variables of the environment may name it. */
export function proxyInUse(proxy: string): Check {
  return found({ check: 'proxy', outcome: 'ok', message: `the way to exchange and webhook leads through ${proxy}` })
}

const found = (finding: Finding): Check => ({
  name: finding.check,
  withinMs: QUICK_MS,
  look: () => Promise.resolve([finding]),
})

/** What needs no config. */
export function machineChecks(): Check[] {
  return [
    { name: 'node', withinMs: QUICK_MS, look: () => Promise.resolve([nodeFinding(process.versions.node)]) },
    programCheck('flock'),
    { name: 'addons', withinMs: QUICK_MS, look: () => Promise.resolve().then(addonFindings) },
    { name: 'clock', withinMs: QUICK_MS, look: async signal => [await clockFinding(signal)] },
  ]
}

/** What this config needs to work. `path` is that of its file. */
export function configChecks(config: Config, path: string, environment: NodeJS.ProcessEnv): Check[] {
  const probes = config.exchanges.map(exchange => ({
    exchange,
    probe: new Shared(signal => probeWith(exchange, environment, signal)),
  }))
  const volume = async (signal: AbortSignal) => {
    const recorded = recordedIn(config.dataDir, Date.now())
    return { recorded, volume: recorded.volume ?? (await expectedBy(probes, signal)) }
  }
  const volumes = new Shared(volume)
  const checks: Check[] = [
    ...programsFor(config).map(programCheck),
    { name: 'open files', withinMs: QUICK_MS, look: async () => [await openFilesFinding(config)] },
    {
      name: 'disk',
      withinMs: DISK_MS,
      look: async signal => {
        const { recorded, volume } = await volumes.get(signal)
        return [...(await diskFindings(config, recorded, volume)), ...leftOpenFindings(config, recorded.openBy)]
      },
    },
    { name: 'parts', withinMs: QUICK_MS, look: () => Promise.resolve(partProblems(config)) },
    ...probes.map(({ exchange, probe }) => ({
      name: config.exchanges.length === 1 ? 'exchange' : `exchange ${exchange.name}`,
      withinMs: EXCHANGE_MS,
      look: (signal: AbortSignal) =>
        probe.get(signal).then(
          found => exchangeFindings(exchangeOf(exchange), shownUrl(exchange.url), found),
          (error: unknown) => [exchangeFailure(error)],
        ),
    })),
  ]
  if (config.sync.target === undefined) return checks
  return [
    ...checks,
    { name: 'nas', withinMs: TARGET_MS, look: signal => nasInProcess(path, signal) },
    {
      name: 'nas space',
      withinMs: DISK_MS,
      look: async signal => {
        const [freeBytes, { volume }] = await Promise.all([targetSpace(config.sync, signal), volumes.get(signal)])
        return [judgeTargetSpace(freeBytes, volume)]
      },
    },
  ]
}

async function targetFindings(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const finding = await nasFinding(config, signal)
  return finding.outcome === 'failed' ? [finding] : [finding, ...otherRecorders(config)]
}

/** The target alone, as the process that `nas` starts does it. */
export function nasCheck(config: Config): Check {
  return { name: 'nas', withinMs: TARGET_MS, look: signal => targetFindings(config, signal) }
}

function programCheck(name: ProgramName): Check {
  return { name, withinMs: QUICK_MS, look: async signal => [await programFinding(name, signal)] }
}

function programsFor({ sync: { target } }: Config): ProgramName[] {
  if (target === undefined) return []
  try {
    const { kind } = parseTarget(target)
    return kind === 'folder' ? [] : kind === 'rclone' ? ['rclone'] : kind === 'ssh' ? ['rsync', 'ssh'] : ['rsync']
  } catch (error) {
    // The check of the target reports what is wrong with the address.
    if (error instanceof EdgeError) return []
    throw error
  }
}

async function probeWith(
  exchange: ExchangeConfig,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ExchangeProbe> {
  const log = createLogger('doctor', 'silent')
  return probeExchange({ exchange, credentials: credentialsFrom(exchangeOf(exchange), environment), log, signal })
}

interface Probed {
  exchange: ExchangeConfig
  probe: Shared<ExchangeProbe>
}

/** Of all exchanges together; undefined where one of them is unknown. */
async function expectedBy(probes: readonly Probed[], signal: AbortSignal): Promise<ExpectedVolume | undefined> {
  let bytesPerDay = 0
  for (const { exchange, probe } of probes) {
    const facts = exchangeOf(exchange)
    // Nobody knows what a described feed sends.
    if (facts.families.length === 0) return undefined
    try {
      bytesPerDay += estimateVolume(facts, (await probe.get(signal)).families).bytesPerDay
    } catch (error) {
      // The check of the exchange reports it.
      if (error instanceof Error) return undefined
      throw error
    }
  }
  return { bytesPerDay, from: 'estimated' }
}

/** A result that several checks need: found once. */
class Shared<T> {
  readonly #find: (signal: AbortSignal) => Promise<T>
  #found: Promise<T> | undefined

  constructor(find: (signal: AbortSignal) => Promise<T>) {
    this.#find = find
  }

  get(signal: AbortSignal): Promise<T> {
    return (this.#found ??= this.#find(signal))
  }
}

const answer = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      outcome: z.enum(['ok', 'warning', 'failed', 'skipped']),
      message: z.string(),
      hint: z.string().optional(),
      facts: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
})

/** In a process of its own: a mount that hangs holds up the whole process that looks at it, and no signal ends that. */
async function nasInProcess(configPath: string, signal: AbortSignal): Promise<Finding[]> {
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
  const args = [main, 'doctor', '--config', configPath, '--only', 'nas', '--json']
  const { stdout, stderr } = await execa(process.execPath, args, {
    cancelSignal: signal,
    reject: false,
    stdin: 'ignore',
  })
  try {
    return answer.parse(JSON.parse(stdout)).findings.map(({ hint, facts, ...finding }) => ({
      ...finding,
      ...(hint === undefined ? {} : { hint }),
      ...(facts === undefined ? {} : { facts }),
    }))
  } catch (error) {
    const message = `the look at the target ended without an answer: ${stderr.trim() || messageOf(error)}`
    return [{ check: 'nas', outcome: 'failed', message }]
  }
}
