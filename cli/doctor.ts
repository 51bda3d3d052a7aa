import { Command, Option } from 'commander'
import type { Finding } from '../monitor/doctor/finding.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface DoctorFlags extends ConfigOption {
  json?: boolean
  only?: 'nas'
}

/** `edgetape doctor`: whether all is there that a recorder needs, and what to do where it is not. */
export function doctorCommand(): Command {
  return withConfig(
    new Command('doctor')
      .description('check config, programs, disk, clock, exchange and NAS, and say what to do')
      .option('--json', 'for programs')
      .addOption(new Option('--only <what>', 'look at the NAS alone').choices(['nas'])),
  ).action(doctor)
}

async function doctor({ config: path, json = false, only }: DoctorFlags): Promise<void> {
  const [{ onShutdown }, { findingsOf, isHanging }, { linesOf, summaryOf, exitCodeOf }] = await Promise.all([
    import('../platform/shutdown.js'),
    import('../monitor/doctor/finding.js'),
    import('./doctor/report.js'),
  ])
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  const withSigns = process.stdout.isTTY && !process.env['NO_COLOR']
  const findings: Finding[] = []
  // Whoever reads no further must not get a success that nobody found.
  process.exitCode = 1
  for await (const finding of findingsOf(await checksFor(path, only), stop.signal)) {
    findings.push(finding)
    if (!json) process.stdout.write(`${linesOf(finding, withSigns)}\n`)
  }
  const code = exitCodeOf(findings)
  process.exitCode = code
  const end = json ? JSON.stringify({ exit_code: code, findings }, null, 2) : `\n${summaryOf(findings)}`
  process.stdout.write(`${end}\n`, () => {
    // A look that hangs in the kernel would keep this process from ending.
    if (findings.some(isHanging)) process.exit(code)
  })
}

async function checksFor(path: string, only: 'nas' | undefined) {
  const [{ loadConfig }, { proxyFrom }, checks, { EdgeError }, { openProxyWay }] = await Promise.all([
    import('../config/load.js'),
    import('../config/secrets.js'),
    import('../monitor/doctor/checks.js'),
    import('../platform/edge-error.js'),
    import('../platform/proxy.js'),
  ])
  try {
    const config = loadConfig(path)
    if (only === 'nas') return [checks.nasCheck(config)]
    const proxy = await openProxyWay(proxyFrom(config.proxy, process.env))
    return [
      checks.goodConfig(config, path),
      ...(proxy === undefined ? [] : [checks.proxyInUse(proxy)]),
      ...checks.machineChecks(),
      ...checks.configChecks(config, path, process.env),
    ]
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    return [checks.badConfig(error), ...(only === undefined ? checks.machineChecks() : [])]
  }
}
