import type { Readable, Writable } from 'node:stream'
import { intro, isCancel, multiselect, note, select, text } from '@clack/prompts'
import { pathComplaint } from '../../config/paths.js'
import { parseTarget, targetComplaint } from '../../config/target-address.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { Answers as ExchangeAnswers, Question } from '../../exchanges/settings.js'
import { exchanges } from '../../exchanges/registry.js'
import { chosenOf, type Answers } from '../../config/answers.js'

/** Where questions are put: the terminal, or streams of a test. */
interface Terminal {
  input: Readable
  output: Writable
}

/** What stands there to be taken with Enter. */
interface Proposals {
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
  if (exchanges.length > 1) answers.exchanges ??= await whichExchanges(terminal)
  const of: Record<string, ExchangeAnswers> = {}
  const chosen = chosenOf(answers)
  for (const { name, title, settings } of chosen) {
    if (chosen.length > 1) note(`the next questions are about ${title}`, undefined, terminal)
    of[name] = await exchangeAnswers(settings.questions, said.of?.[name] ?? {}, terminal)
  }
  answers.of = of
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

async function whichExchanges(terminal: Terminal): Promise<string[]> {
  const options = exchanges.map(({ name, title }) => ({ value: name, label: title }))
  const message = 'Which exchanges? (space takes one or leaves it)'
  return answered(multiselect({ message, options, initialValues: [exchanges[0].name], ...terminal }))
}

/** Asks what an exchange wants to know. */
async function exchangeAnswers(
  questions: readonly Question[],
  said: ExchangeAnswers,
  terminal: Terminal,
): Promise<ExchangeAnswers> {
  const answers: Record<string, ExchangeAnswers[string]> = { ...said }
  for (const question of questions) answers[question.name] ??= await answerTo(question, terminal)
  return answers
}

async function answerTo(question: Question, terminal: Terminal): Promise<string | string[] | undefined> {
  const { asked, options, isList = false } = question
  if (!asked) return undefined
  const { message, proposal: initialValue = '' } = asked
  if (!options) {
    const read = (value = '') => (isList ? words(value) : [value])
    const validate = (value?: string) => question.complaint?.(read(value))
    const answer = await answered(text({ message, initialValue, validate, ...terminal }))
    return isList ? words(answer) : answer
  }
  const shown = options.map(option => ({ ...option }))
  const initialValues = options.map(({ value }) => value)
  if (isList) return await answered(multiselect({ message, options: shown, initialValues, ...terminal }))
  return await answered(select({ message, options: shown, ...terminal }))
}

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

function hoursComplaint(value: string): string | undefined {
  return value.trim() !== '' && Number(value) >= 0 ? undefined : 'a number of hours'
}

function complaintOfTarget(value: string): string | undefined {
  const wanted = value === '' ? undefined : targetComplaint(value)
  return wanted === undefined ? undefined : `sync.target: found ${JSON.stringify(value)}, wanted ${wanted}`
}
