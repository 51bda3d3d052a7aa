import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'
import { EdgeError } from '../platform/edge-error.js'
import type { Proof } from '../reader/verify/proof.js'
import type { Finding } from '../reader/verify/findings.js'
import type { Progress } from '../platform/progress-bar.js'

interface VerifyOptions extends ConfigOption {
  json?: boolean
  date?: string
}

export function verifyCommand(): Command {
  return withConfig(
    new Command('verify')
      .description('prove files: checksums, counts, lines, sequences; exit code 1 for any fault')
      .argument('[what]', 'raw: only segments; nas: the copies at sync.target; without it, all that can be proven here')
      .argument('[path]', 'a dataDir, its copy on the NAS, or a folder or file of it; default: dataDir of the config')
      .option('--date <date>', 'with parquet or nas: only this day (UTC), e.g. 2026-11-22')
      .option('--json', 'a JSON object for each finding, and a last one for the result'),
  ).action(verify)
}

async function verify(what: string | undefined, path: string | undefined, options: VerifyOptions): Promise<void> {
  const [{ chooseProofs }, { Findings, findingText }, { showProgress }] = await Promise.all([
    import('../reader/verify/choose.js'),
    import('../reader/verify/findings.js'),
    import('../platform/progress-bar.js'),
  ])
  const { proofs, place } = await chooseProofs(what, path, options.config)
  const asked = { config: options.config, date: dateAsked(options.date, proofs) }
  let progress: Progress | undefined
  const print = (text: string) => {
    if (progress) progress.aside(() => process.stdout.write(`${text}\n`))
    else process.stdout.write(`${text}\n`)
  }
  const findings = new Findings((finding: Finding) =>
    print(options.json ? JSON.stringify({ type: 'finding', ...finding }) : findingText(finding)),
  )
  const startProgress = (label: string, totalBytes: number) => (progress = showProgress(label, totalBytes))
  // A reader that has seen enough must not get a success that nobody proved.
  process.exitCode = 1
  for (const proof of proofs) {
    try {
      const { text, facts } = await proof.prove(place, { findings, startProgress, ...asked })
      progress?.stop()
      progress = undefined
      print(options.json ? JSON.stringify({ type: 'proven', proof: proof.name, ...facts }) : `${proof.name}: ${text}`)
    } finally {
      progress?.stop()
    }
  }
  findings.finish()
  const { fault, unproven, note } = findings.counts
  print(
    options.json
      ? JSON.stringify({ type: 'result', ok: fault === 0, faults: fault, unproven, notes: note })
      : `${fault === 0 ? 'no fault' : `${fault} ${fault === 1 ? 'fault' : 'faults'}`}, ${unproven} unproven, ${note} notes`,
  )
  process.exitCode = fault === 0 ? 0 : 1
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
