import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'
import { EdgeError } from '../platform/edge-error.js'
import { nonNegativeNumber } from './number-options.js'

interface VerifyOptions extends ConfigOption {
  json?: boolean
  date?: string
  repair?: boolean
  anew?: boolean
  for?: number
}

export function verifyCommand(): Command {
  return withConfig(
    new Command('verify')
      .description('check files: checksums, counts, lines, sequences; exit code 1 for any fault')
      .argument(
        '[what]',
        'raw: only segments; parquet: tables; nas: the copies at sync.target; bits: bit rot, here and at the target; without it, everything that can be checked here',
      )
      .argument('[path]', 'a dataDir, its copy on the NAS, or a folder or file of it; default: dataDir of the config')
      .option('--date <date>', 'with parquet, nas or bits: only this day (UTC), e.g. 2026-11-22')
      .option(
        '--repair',
        'with bits: repair what rotted from the other copy or from raw, and list what cannot be repaired',
      )
      .option('--anew', 'with parquet, nas or bits: start from the beginning, not where the last run stopped')
      .option(
        '--for <minutes>',
        'with parquet, nas or bits: at low priority, stop after so many minutes; the next run continues there',
        nonNegativeNumber,
      )
      .option('--json', 'a JSON object for each finding, then one for the result'),
  ).action(verify)
}

async function verify(what: string | undefined, path: string | undefined, options: VerifyOptions): Promise<void> {
  const priority = options.for === undefined ? undefined : await import('../platform/low-priority.js')
  // Recording comes first on a small machine, while all that proves is loaded, too.
  priority?.lowerThreads()
  const [{ chooseProofs, requireDateOfProofs }, { findingText }, { proveInTurn }, { showProgress }, { onShutdown }] =
    await Promise.all([
      import('../reader/verify/choose.js'),
      import('../reader/verify/findings.js'),
      import('../reader/verify/prove-in-turn.js'),
      import('../platform/progress-bar.js'),
      import('../platform/shutdown.js'),
    ])
  const { json = false, date, repair = false, anew = false, for: minutes, config } = options
  const isPlace = repair && path === undefined && what !== undefined && what !== 'bits'
  const [asWhat, asPath] = repair ? ['bits', isPlace ? what : path] : [what, path]
  const { proofs, place } = await chooseProofs(asWhat, asPath, config)
  if (date !== undefined) requireDateOfProofs(date, proofs)
  const stop = new AbortController()
  if (proofs.every(({ goesOn }) => goesOn)) onShutdown(reason => stop.abort(reason))
  else if (minutes !== undefined || anew)
    throw new EdgeError('VERIFY_OPTIONS', '--for and --anew go with verify parquet, verify nas and verify bits')
  priority?.lowerPriority()
  if (minutes !== undefined) setTimeout(() => stop.abort('its time is over'), 60_000 * minutes).unref()
  // A reader that has seen enough must not get a success that nobody proved.
  process.exitCode = 1
  const shown = (type: string, facts: object, text: string) => (json ? JSON.stringify({ type, ...facts }) : text)
  const print = (line: string) => process.stdout.write(`${line}\n`)
  const result = await proveInTurn(proofs, place, {
    ...{ config, date, repair, anew, startProgress: showProgress, signal: stop.signal },
    onGoesOn: (proof, text) => process.stderr.write(`${proof}: ${text}\n`),
    onFinding: finding => print(shown('finding', finding, findingText(finding))),
    onProven: (proof, { text, facts }) => print(shown('proven', { proof, ...facts }, `${proof}: ${text}`)),
  })
  const { faults, unproven, notes, isWhole } = result
  const isStopped = !isWhole && stop.signal.aborted
  const text =
    `${faults === 0 ? 'no fault' : `${faults} ${faults === 1 ? 'fault' : 'faults'}`}, ${unproven} unproven, ${notes} notes` +
    (isStopped ? '; stopped before the end: run the same command again to continue' : '')
  print(shown('result', { ok: faults === 0, ...result }, text))
  // With a time of its own that is what was asked for; a stop by hand has proven nothing.
  process.exitCode = faults === 0 && (isWhole || (isStopped && minutes !== undefined)) ? 0 : 1
}
