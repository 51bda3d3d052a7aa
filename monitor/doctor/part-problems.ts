import type { Config } from '../../config/schema.js'
import { recorderTags } from '../../config/one-exchange.js'
import { compactorStatus, recorderStatus, syncerStatus } from '../../formats/part-status.js'
import { readStatus } from '../../formats/status.js'
import { linkProblem, listDates } from '../../syncer/local-tree.js'
import type { Finding } from './finding.js'

const NAMES_SHOWN = 5

/** What the parts say in their status that they cannot do, and try again or leave out. */
export function partProblems(config: Config): Finding[] {
  const { dataDir, sync } = config
  const recorders = recorderTags(config).map(of => recorderStatus.parse(readStatus(dataDir, 'recorder', of) ?? {}))
  const compactor = compactorStatus.parse(readStatus(dataDir, 'compactor') ?? {})
  const syncer = syncerStatus.parse(readStatus(dataDir, 'syncer') ?? {})
  return [
    ...notOffered(recorders.flatMap(({ not_offered: names }) => names)),
    ...failingConversions(compactor),
    ...(sync.target === undefined ? [] : [...linksIn(dataDir), ...syncProblems(syncer)]),
  ]
}

function notOffered(names: readonly string[]): Finding[] {
  if (names.length === 0) return []
  return [
    {
      check: 'not offered',
      outcome: 'warning',
      message: `the config asks for ${names.length} channels or instruments that the exchange does not offer: ${shown(names)}`,
      hint: 'the journal has each with its reason (not_offered); remove them from exchange.channels to silence this',
      facts: { not_offered: names },
    },
  ]
}

function failingConversions({ failing = 0, last_error: error }: ReturnType<typeof compactorStatus.parse>): Finding[] {
  if (failing === 0) return []
  return [
    {
      check: 'conversions',
      outcome: 'warning',
      message: `${failing} segments, dates or roll-ups could not be made: ${error ?? 'the compactor does not say why'}`,
      hint: 'each is retried automatically, at least once an hour; nothing of them is deleted meanwhile. edgetape verify says whether a file is damaged',
      facts: { failing },
    },
  ]
}

function syncProblems(syncer: ReturnType<typeof syncerStatus.parse>): Finding[] {
  const { problem_files: files = 0, problems, failures_in_a_row: failures = 0, last_error: error } = syncer
  const findings: Finding[] = []
  if (files > 0) {
    const [first] = problems
    findings.push({
      check: 'shipping',
      outcome: 'warning',
      message: `${files} files could not be shipped, verified or deleted${first ? `, first ${first.path}: ${first.reason}` : ''}`,
      hint: 'each is retried in every pass, and stays here until that succeeds',
      facts: { problem_files: files },
    })
  }
  if (failures > 0) {
    findings.push({
      check: 'shipping',
      outcome: 'warning',
      message: `the last ${failures} passes of the syncer failed: ${error ?? 'it does not say why'}`,
      hint: 'it retries automatically, and deletes nothing meanwhile',
      facts: { failures_in_a_row: failures },
    })
  }
  return findings
}

function linksIn(dataDir: string): Finding[] {
  const links: string[] = []
  listDates(dataDir, path => links.push(path))
  return links.map(path => {
    const [message = '', hint = ''] = linkProblem(path).reason.split('; ')
    return { check: 'links', outcome: 'warning', message: `${path}: ${message}`, hint, facts: { path } }
  })
}

const shown = (names: readonly string[]) =>
  names.length <= NAMES_SHOWN ? names.join(', ') : `${names.slice(0, NAMES_SHOWN).join(', ')}, …`
