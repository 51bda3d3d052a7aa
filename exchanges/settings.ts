/** What is configured of an exchange, and what people are asked and shown about that. */

import type { z } from 'zod'
import type { Compression } from '../platform/inflate.js'

/** What the keys below `exchange:` say, whatever else an exchange has there. */
export interface ExchangeConfig {
  /** Name of the exchange whose folder reads these keys; `generic` for a described feed. */
  readonly adapter: string
  /** The first partition of every path: `exchange=<name>`. */
  readonly name: string
  /** WebSocket endpoint. */
  readonly url: string
  /** 2: everything on two connections at once. */
  readonly redundancy: 1 | 2
}

/** How frames are to be read whose meaning only a config defines. */
export interface FrameReading {
  /** Where a frame names its channel: JSON pointers, the first that a frame has. */
  channelAt: readonly string[]
  /** How its binary messages are compressed; undefined where they are no such. */
  decode?: Compression | undefined
}

export interface Settings<Config extends ExchangeConfig = ExchangeConfig> {
  /** The keys below `exchange:`: types, defaults, checks and meanings. */
  schema(): Promise<z.ZodObject>
  /** How it knows who asks; undefined where all is public. */
  readonly login?: Login<Config>
  /** What a config asks for, in a few words. */
  summaryOf(config: Config): string
  /** Connections at once, at most. */
  connectionsMax(config: Config): number
  /** How its frames are to be read: for a feed that only its config describes. */
  reading?(config: Config): FrameReading
  /** What `edgetape init` asks about it, in this order. */
  readonly questions: readonly Question[]
  /** Values of keys for what was answered, in the order in which a person reads them; undefined ones are left out. */
  valuesOf(answers: Answers): Readonly<Record<string, ConfigValue | undefined>>
  /** What to do, for a person, when … */
  readonly hints: {
    /** … the exchange lists nothing that the config asks for. */
    readonly plansNothing: string
    /** … it refuses what was subscribed. */
    readonly refused: string
  }
}

/** Kinds as people see them: both sorts of combo are one. */
export type CoveredKind = 'option' | 'perpetual' | 'future' | 'spot' | 'combo' | 'index'

/** Where a login comes from: variables of the environment, never a config file. */
export interface Login<Config extends ExchangeConfig = ExchangeConfig> {
  /** Names of the variables. The secret may also be in a file, which `<secret>_FILE` names. */
  readonly id: string
  readonly secret: string
  /** What it is good for, as in `the login that … need`. */
  readonly meaning: string
  /** Why this config works only with a login; undefined where it needs none. */
  neededBy(config: Config): string | undefined
}

/** A value as it stands in a config file. */
export type ConfigValue = ConfigValues | string | number | boolean | readonly (string | number | ConfigValues)[]
export interface ConfigValues {
  readonly [key: string]: ConfigValue
}

/** Something that `edgetape init` asks, or takes as a flag. */
export interface Question {
  /** Of the answer, and of the flag that gives it: `--<name>`. */
  readonly name: string
  /** What the help says that the flag takes, such as `<list>`. */
  readonly takes: string
  /** What the help says of it. */
  readonly meaning?: string
  /** How it is asked, and what stands there to be taken with Enter; without it there is only the flag. */
  readonly asked?: { readonly message: string; readonly proposal?: string }
  /** The answers there are, the proposed one first; without it any text is one. */
  readonly options?: readonly { readonly value: string; readonly label: string; readonly hint?: string }[]
  /** Several may be given; all options are proposed. */
  readonly isList?: boolean
  /** What is wanted in place of this answer; undefined where it is fine. */
  complaint?(answer: readonly string[]): string | undefined
}

/** Answers by the names of their questions; a list of those that may have several. */
export type Answers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Questions that fit every exchange. */
export const urlQuestion: Question = {
  name: 'url',
  takes: '<url>',
  meaning: "the exchange's WebSocket, for its test system",
}
export const redundancyQuestion: Question = {
  name: 'redundancy',
  takes: '<n>',
  meaning: '2: every channel on two connections',
  asked: { message: 'On how many connections?' },
  options: [
    { value: '1', label: 'one', hint: 'a lost connection is a gap of seconds' },
    { value: '2', label: 'two', hint: 'when one drops nothing is missing; twice the traffic' },
  ],
}

/** Which kinds of instruments are recorded, all of them proposed. */
export function kindsQuestion(kinds: readonly string[]): Question {
  return {
    name: 'kinds',
    takes: '<list>',
    meaning: `of ${kinds.join(',')}`,
    asked: { message: 'Which instruments? (space takes one or leaves it)' },
    options: kinds.map(kind => ({ value: kind, label: kind })),
    isList: true,
  }
}

/** Values of the keys that every exchange has, as they were answered; of kinds that nobody wants no channel is. */
export function commonValues(kinds: readonly string[], answers: Answers) {
  const { url, redundancy, kinds: wanted } = answers
  const unwanted = wanted ? kinds.filter(kind => !wanted.includes(kind)) : []
  return {
    url,
    redundancy: redundancy === undefined ? undefined : Number(redundancy),
    channels: unwanted.length === 0 ? undefined : Object.fromEntries(unwanted.map(kind => [kind, []])),
  }
}
