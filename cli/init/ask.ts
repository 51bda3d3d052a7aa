import type { Readable, Writable } from 'node:stream'
import { intro, isCancel, multiselect, select, text } from '@clack/prompts'
import { pathComplaint } from '../../config/paths.js'
import { parseTarget, targetComplaint } from '../../config/target-address.js'
import { EdgeError } from '../../platform/edge-error.js'
import { instrumentKinds, type Answers } from './answers.js'

/** Where questions are put: the terminal, or streams of a test. */
export interface Terminal {
  input: Readable
  output: Writable
}

/** What stands there to be taken with Enter. */
export interface Proposals {
  dataDir: string
  host: string
  keepHours: number
}

/**
 * Asks what `said` has not answered yet.
 * @throws EdgeError INIT_CANCELLED
 */
export async function ask(said: Answers, proposals: Proposals, terminal: Terminal): Promise<Answers> {
  intro('a config for edgetape; Enter takes what is proposed', terminal)
  const line = (message: string, initialValue: string, complaint: (value: string) => string | undefined) =>
    answered(text({ message, initialValue, validate: value => complaint(value ?? ''), ...terminal }))

  const answers: Answers = { ...said }
  answers.dataDir ??= await line('Folder of everything that is written?', proposals.dataDir, folderComplaint)
  answers.host ??= await line('Name of this recorder, part of every file name?', proposals.host, hostComplaint)
  answers.currencies ??= words(
    await line('Settlement currencies (BTC, ETH, USDC, …), or any?', 'BTC, ETH', currenciesComplaint),
  )
  answers.kinds ??= await answered(
    multiselect({
      message: 'Which instruments? (space takes one or leaves it)',
      options: instrumentKinds.map(value => ({ value, label: value })),
      initialValues: [...instrumentKinds],
      ...terminal,
    }),
  )
  answers.interval ??= await answered(
    select({ message: 'How finely are they to come?', options: INTERVALS, ...terminal }),
  )
  answers.redundancy ??= await answered(select({ message: 'On how many connections?', options: COPIES, ...terminal }))
  answers.target ??= await line(
    'Where do files go? user@nas:/folder, rsync://host/module/path or a mounted folder; empty: they stay here',
    '',
    complaintOfTarget,
  )
  if (!answers.target) return answers
  if (answers.sshKey === undefined && parseTarget(answers.target).kind === 'ssh') {
    const key = await line('Private key for it? empty: those that ssh finds itself', '', () => undefined)
    if (key !== '') answers.sshKey = key
  }
  const keep = 'How many hours do files stay here once they are safe there?'
  answers.keepHours ??= Number(await line(keep, String(proposals.keepHours), hoursComplaint))
  return answers
}

const INTERVALS = [
  { value: '100ms' as const, label: '100ms', hint: 'needs no account' },
  { value: 'raw' as const, label: 'raw', hint: 'each change by itself; needs an API key, and several times the disk' },
  { value: 'agg2' as const, label: 'agg2', hint: 'about one frame a second' },
]

const COPIES = [
  { value: 1 as const, label: 'one', hint: 'a lost connection is a gap of seconds' },
  { value: 2 as const, label: 'two', hint: 'when one drops nothing is missing; twice the traffic' },
]

async function answered<T>(answer: Promise<T>): Promise<Exclude<T, symbol>> {
  const value = await answer
  if (isCancel(value)) throw new EdgeError('INIT_CANCELLED', 'cancelled: nothing was written')
  return value as Exclude<T, symbol>
}

const words = (list: string) => list.split(/[\s,]+/).filter(word => word !== '')

function folderComplaint(value: string): string | undefined {
  return pathComplaint(value)
}

function hostComplaint(value: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/.test(value) ? undefined : 'letters, digits, dots and dashes, at most 40'
}

function currenciesComplaint(value: string): string | undefined {
  const found = words(value)
  const fits = found.length > 0 && found.every(word => /^([A-Z0-9]{2,12}|any)$/.test(word))
  return fits ? undefined : 'settlement currencies such as BTC, or any'
}

function hoursComplaint(value: string): string | undefined {
  return value.trim() !== '' && Number(value) >= 0 ? undefined : 'a number of hours'
}

function complaintOfTarget(value: string): string | undefined {
  const wanted = value === '' ? undefined : targetComplaint(value)
  return wanted === undefined ? undefined : `sync.target: found ${JSON.stringify(value)}, wanted ${wanted}`
}
