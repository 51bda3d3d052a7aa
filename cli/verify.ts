import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'
import { EdgeError } from '../platform/edge-error.js'
import type { Proof, ProofResult } from '../reader/verify/proof.js'
import type { Finding } from '../reader/verify/findings.js'
import type { Round } from '../reader/verify/round.js'
import type { Progress } from '../platform/progress-bar.js'
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
        'raw: only segments; parquet: tables; nas: the copies at sync.target; bits: what rotted, here and there; without it, all that can be proven here',
      )
      .argument('[path]', 'a dataDir, its copy on the NAS, or a folder or file of it; default: dataDir of the config')
      .option('--date <date>', 'with parquet, nas or bits: only this day (UTC), e.g. 2026-11-22')
      .option('--repair', 'with bits: mend what rotted, from the other copy or from raw, and say what cannot be mended')
      .option('--anew', 'with parquet, nas or bits: start from the beginning, not where the last one stopped')
      .option(
        '--for <minutes>',
        'the same: stop after so long, behind all other work, to go on another time',
        nonNegativeNumber,
      )
      .option('--json', 'a JSON object for each finding, and a last one for the result'),
  ).action(verify)
}

async function verify(what: string | undefined, path: string | undefined, options: VerifyOptions): Promise<void> {
  const [{ chooseProofs }, { Findings, findingText }, { Round }, { showProgress }, { onShutdown }] = await Promise.all([
    import('../reader/verify/choose.js'),
    import('../reader/verify/findings.js'),
    import('../reader/verify/round.js'),
    import('../platform/progress-bar.js'),
    import('../platform/shutdown.js'),
  ])
  const isPlace = options.repair === true && path === undefined && what !== undefined && what !== 'bits'
  const [asWhat, asPath] = options.repair === true ? ['bits', isPlace ? what : path] : [what, path]
  const { proofs, place } = await chooseProofs(asWhat, asPath, options.config)
  const asked = { config: options.config, date: dateAsked(options.date, proofs), repair: options.repair === true }
  const stop = new AbortController()
  if (proofs.every(({ goesOn }) => goesOn)) onShutdown(reason => stop.abort(reason))
  else if (options.for !== undefined || options.anew === true)
    throw new EdgeError('VERIFY_OPTIONS', '--for and --anew go with verify parquet, verify nas and verify bits')
  if (options.for !== undefined) {
    const { lowerPriority } = await import('../platform/low-priority.js')
    lowerPriority()
    setTimeout(() => stop.abort('its time is over'), 60_000 * options.for).unref()
  }
  let progress: Progress | undefined
  let round: Round
  const print = (text: string) => {
    if (progress) progress.aside(() => process.stdout.write(`${text}\n`))
    else process.stdout.write(`${text}\n`)
  }
  const findings = new Findings(
    (finding: Finding) => print(options.json ? JSON.stringify({ type: 'finding', ...finding }) : findingText(finding)),
    finding => round.note(finding),
  )
  const startProgress = (label: string, total: number, unit?: 'bytes' | 'steps') =>
    (progress = showProgress(label, total, unit))
  // A reader that has seen enough must not get a success that nobody proved.
  process.exitCode = 1
  let isWhole = true
  for (const proof of proofs) {
    round = new Round({ place, proof: proof.name, date: asked.date, anew: options.anew === true || !proof.goesOn })
    if (round.goesOn !== undefined) process.stderr.write(`${proof.name}: ${round.goesOn}\n`)
    for (const weight of ['fault', 'unproven', 'note'] as const) findings.carry(weight, round.foundOf(weight))
    let result: ProofResult
    try {
      result = await proof.prove(place, { findings, startProgress, round, signal: stop.signal, ...asked })
      progress?.stop()
      progress = undefined
    } finally {
      progress?.stop()
    }
    const { text, facts } = result
    if (proof.goesOn) {
      if (result.isWhole === false) round.save()
      else round.end()
    }
    if (result.isWhole === false) isWhole = false
    print(options.json ? JSON.stringify({ type: 'proven', proof: proof.name, ...facts }) : `${proof.name}: ${text}`)
  }
  findings.finish()
  const { fault, unproven, note } = findings.counts
  const isStopped = !isWhole && stop.signal.aborted
  print(
    options.json
      ? JSON.stringify({ type: 'result', ok: fault === 0, faults: fault, unproven, notes: note, isWhole })
      : `${fault === 0 ? 'no fault' : `${fault} ${fault === 1 ? 'fault' : 'faults'}`}, ${unproven} unproven, ${note} notes` +
          (isStopped ? '; stopped before the end: the same command goes on from here' : ''),
  )
  // With a time of its own that is what was asked for; a stop by hand has proven nothing.
  process.exitCode = fault === 0 && (isWhole || (isStopped && options.for !== undefined)) ? 0 : 1
}

/** @throws EdgeError DATE_INVALID, VERIFY_DATE */
function dateAsked(date: string | undefined, proofs: readonly Proof[]): string | undefined {
  if (date === undefined) return undefined
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new EdgeError('DATE_INVALID', `found ${date}, wanted a date such as 2026-11-22`)
  if (proofs.some(({ byDate }) => byDate !== true))
    throw new EdgeError(
      'VERIFY_DATE',
      `--date goes with a proof of single days, not with ${proofs.map(({ name }) => name).join(', ')}`,
      {
        hint: 'edgetape verify parquet --date 2026-11-22, or: verify nas --date 2026-11-22; of segments name a folder: verify raw data/raw/…/date=2026-11-22',
      },
    )
  return date
}
