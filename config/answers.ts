import { resolve } from 'node:path'
import { exchanges } from '../exchanges/registry.js'
import type { Answers as ExchangeAnswers, ConfigValue, ConfigValues, Question } from '../exchanges/settings.js'

/** What `init` asks, or takes as flags; what is left out gets the schema's default. */
export interface Answers {
  dataDir?: string
  host?: string
  /** Names; what is left out is the first that there is. */
  exchanges?: readonly string[]
  /** What their own questions were answered, by name. */
  of?: Readonly<Record<string, ExchangeAnswers>>
  /** '' for none. */
  target?: string
  sshKey?: string
  sshPort?: number
  knownHosts?: string
  passwordFile?: string
  keepHours?: number
}

export const chosenOf = ({ exchanges: names = [exchanges[0].name] }: Answers) =>
  exchanges.filter(({ name }) => names.includes(name))

/** The questions of all exchanges as flags: one that several ask stands for all of them, with all their answers. */
export function flagQuestions(): Question[] {
  const questions = new Map<string, Question>()
  for (const question of exchanges.flatMap(({ settings }) => settings.questions)) {
    const { options = [] } = questions.get(question.name) ?? {}
    const others = question.options?.filter(({ value }) => !options.some(known => known.value === value)) ?? []
    const all = question.options && { options: [...options, ...others] }
    questions.set(question.name, { ...question, ...questions.get(question.name), ...all })
  }
  return [...questions.values()]
}

/** What was said by flags, as answers of each exchange that asks for it, as far as it knows such an answer. Pure. */
export function answersBy(said: ExchangeAnswers): Readonly<Record<string, ExchangeAnswers>> {
  return Object.fromEntries(
    exchanges.map(({ name, settings }) => [
      name,
      Object.fromEntries(settings.questions.map(question => [question.name, knownOf(question, said[question.name])])),
    ]),
  )
}

function knownOf({ options }: Question, answer: ExchangeAnswers[string]): ExchangeAnswers[string] {
  if (answer === undefined || !options) return answer
  const isKnown = (value: string) => options.some(option => option.value === value)
  if (typeof answer === 'string') return isKnown(answer) ? answer : undefined
  const known = answer.filter(isKnown)
  return known.length === 0 ? undefined : known
}

const PATHS = ['dataDir', 'target', 'sshKey', 'knownHosts', 'passwordFile'] as const

/**
 * Relative paths as a shell means them, from the working directory, for a config that lies elsewhere: there they begin in
 * its own folder. Pure.
 */
export function pathsFor(configFolder: string, answers: Answers, workingFolder: string): Answers {
  if (configFolder === workingFolder) return answers
  const paths = PATHS.flatMap(key => {
    const path = answers[key]
    if (path === undefined || path === '' || /^[/~]/.test(path)) return []
    // What names another machine is no path here.
    if (key === 'target' && !/^\.{1,2}\//.test(path)) return []
    return [[key, resolve(workingFolder, path)] as const]
  })
  return { ...answers, ...Object.fromEntries(paths) }
}

/** The answers as values of a config file, in the order in which a person reads one. Pure. */
export function valuesOf(answers: Answers): ConfigValues {
  const { dataDir, host, of = {}, keepHours } = answers
  const each = chosenOf(answers).map(({ name, settings }) =>
    withoutUndefined({ name, ...settings.valuesOf(of[name] ?? {}) }),
  )
  const { target, sshKey, sshPort, knownHosts, passwordFile } = answers
  return withoutUndefined({
    host,
    dataDir,
    ...(each.length === 1 ? { exchange: each[0] } : { exchanges: each }),
    sync: target ? withoutUndefined({ target, sshKey, sshPort, knownHosts, passwordFile }) : undefined,
    retention: keepHours === undefined ? undefined : { keepHours },
  })
}

function withoutUndefined(values: Readonly<Record<string, ConfigValue | undefined>>): ConfigValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ConfigValues
}
