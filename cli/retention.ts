import { Command } from 'commander'
import type { DateSurvey, RetentionSurvey } from '../syncer/main.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface RetentionFlags extends ConfigOption {
  dryRun?: boolean
  json?: boolean
}

/** `edgetape retention`: what may be deleted here, and why the rest stays. */
export function retentionCommand(): Command {
  return withConfig(
    new Command('retention')
      .description('delete local files that are verified at the target and old enough, or whose space is needed')
      .option('--dry-run', 'delete nothing: list what would be deleted or kept, and why')
      .option('--json', 'for programs: every file by name'),
  ).action(retention)
}

async function retention({ config: path, dryRun = false, json }: RetentionFlags): Promise<void> {
  const [{ loadConfig }, { surveyRetention }, { showProgress }] = await Promise.all([
    import('../config/load.js'),
    import('../syncer/main.js'),
    import('../platform/progress-bar.js'),
  ])
  const config = loadConfig(path)
  const bar = showProgress('proven there', 0)
  const survey = await surveyRetention({ config, dryRun, onProven: bar.reach }).finally(bar.stop)
  const text = json ? JSON.stringify(forPrograms(survey, dryRun), null, 2) : await forPeople(survey, dryRun, config)
  process.stdout.write(`${text}\n`)
  if (survey.error || survey.dates.some(({ problems }) => problems.length > 0)) process.exitCode = 1
}

function forPrograms({ target, neededBytes, dates, error }: RetentionSurvey, dryRun: boolean): object {
  return {
    dry_run: dryRun,
    target,
    needed_bytes: neededBytes,
    error: error ? { code: error.code, message: error.message, hint: error.hint ?? null } : null,
    dates: dates.map(({ date, goes, goesBytes, ageFiles, stays, youngFiles, problems }) => ({
      date,
      goes: goes.map(file => file.path),
      goes_bytes: goesBytes,
      for_age: ageFiles,
      for_space: goes.length - ageFiles,
      stays: Object.fromEntries(stays),
      young: youngFiles,
      problems,
    })),
  }
}

async function forPeople(
  survey: RetentionSurvey,
  dryRun: boolean,
  { retention: { keepHours } }: { retention: { keepHours: number } },
): Promise<string> {
  const [{ plainTable }, { sizeText }, { wrapped }] = await Promise.all([
    import('./table.js'),
    import('../platform/figures.js'),
    import('../platform/wrapped.js'),
  ])
  const files = survey.dates.reduce((sum, { goes }) => sum + goes.length, 0)
  const bytes = survey.dates.reduce((sum, { goesBytes }) => sum + goesBytes, 0)
  const needed = survey.neededBytes > 0 ? `; ${sizeText(survey.neededBytes)} must be freed whatever its age` : ''
  const lines = [
    wrapped(
      `${dryRun ? 'would delete' : 'deleted'} ${files} files, ${sizeText(bytes)}: verified at ${survey.target}, compacted, ` +
        `and older than ${keepHours} h or needed for space${needed}`,
      '',
    ),
  ]
  const rows = survey.dates.map(date => [
    date.date,
    String(date.goes.length),
    sizeText(date.goesBytes),
    whyGoes(date),
    whyStays(date, keepHours),
  ])
  if (rows.length > 0)
    lines.push('', plainTable(['date', 'files', 'size', 'delete because', 'keep because'], rows, [1, 2]))
  for (const { path, reason } of survey.dates.flatMap(({ problems }) => problems))
    lines.push(`problem  ${path}: ${reason}`)
  if (survey.error) lines.push(`error    ${survey.error.message}`)
  if (survey.error?.hint !== undefined) lines.push(`hint     ${survey.error.hint}`)
  return lines.join('\n')
}

function whyGoes({ goes, ageFiles }: DateSurvey): string {
  const reasons = [
    ageFiles > 0 ? `${ageFiles} by age` : '',
    goes.length > ageFiles ? `${goes.length - ageFiles} for space` : '',
  ]
  return reasons.filter(Boolean).join(', ') || '–'
}

function whyStays({ stays, youngFiles }: DateSurvey, keepHours: number): string {
  const reasons = [...stays].map(([reason, count]) => `${count} ${reason}`)
  if (youngFiles > 0) reasons.push(`${youngFiles} not ${keepHours} h old`)
  return reasons.join(', ') || '–'
}
