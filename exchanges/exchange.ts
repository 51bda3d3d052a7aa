/**
 * What an exchange is to the rest of edgetape. Its folder says all this in `main.ts`, and no other room knows anything
 * else of it. Facts are plain data and pure functions of names and bytes; what is heavy is imported when it is asked for.
 */

import type { Kind, Partition } from '../formats/partition.js'
import type { Logger } from '../platform/log.js'
import type { Adapter, Credentials } from './adapter.js'
import type { Books } from './book.js'
import type { Exports } from './export.js'
import { commonFamilies, type Family } from './family.js'
import type { ExchangeConfig, Settings } from './settings.js'
import type { Simulation } from './simulation.js'
import type { Table } from './table.js'

export interface Exchange<Config extends ExchangeConfig = ExchangeConfig> {
  /** What its segments and files are named by: `exchange=<name>`. */
  readonly name: string
  /** The same as people write it. */
  readonly title: string
  /** Where its computers stand, as far as is known. */
  readonly place?: string
  /** Its families of channels, in the order in which people see them, without those that every exchange has. */
  readonly families: readonly Family[]
  /** What its names say. */
  readonly names: Names
  /** What its frames say. */
  readonly frames: Frames
  /** Its order books; undefined where it has none that edgetape understands. */
  readonly books?: Books
  /** What its rows of instruments of a kind are in formats of other programs; undefined where that is unknown. */
  readonly exports?: (kind: Kind) => Exports
  /** Parquet tables of its own, besides those that every exchange has. */
  readonly tables: readonly Table[]
  /**
   * Folder below the package's root with ready questions to its tables, each a file of SQL that opens with the question,
   * an example, its parameters and columns; `_shared.sql` has what they are written with.
   */
  readonly viewsFolder?: string
  /** What is configured of it: questions for people, and what they see. */
  readonly settings: Settings<Config>
  /**
   * What the recorder's connections talk to it by.
   * @param credentials undefined for none
   * @throws EdgeError CREDENTIALS_MISSING the config asks for what is only given after a login
   */
  openAdapter(config: Config, credentials: Credentials | undefined, log: Logger): Promise<Adapter>
  /** Its protocol, to be simulated and to serve recordings; not every exchange has one. */
  readonly simulation?: () => Promise<Simulation>
}

/**
 * What channels and instruments say by their names alone. Any text is taken, whatever the wire says. A channel's name is
 * unique at its exchange: where the wire calls channels of two markets the same, the folder has names of its own for them.
 */
export interface Names {
  /** The family of a channel; `other` for one that is not known. */
  readonly familyOfChannel: (channel: string) => string
  /** Kind and currency of an instrument; kind `none` where the name says nothing. */
  readonly partitionOfInstrument: (name: string) => Partition
  /** Kind and currency by which a channel's frames are stored, where they are grouped; undefined where its name says neither. */
  readonly partitionOfChannel: (channel: string) => Partition | undefined
  /** What a channel is about; undefined where it is about no instrument and no index. */
  readonly subjectOf: (channel: string) => Subject | undefined
  /** Whether what a channel brings is of this instrument or index, too. */
  readonly isAbout: (subject: Subject, about: string) => boolean
  /**
   * What tables call an instrument, where they call several the same and only the kind distinguishes them; without it as
   * people do.
   */
  readonly nameInTables?: (instrument: string) => string
  /** The other way round: what people call the instrument of a row. */
  readonly nameOfRow?: (name: string, kind: string) => string
  /** When the instrument of a channel expires, ms since the epoch; `Infinity` where it does not, or nothing says so. */
  readonly expiryMsOf: (channel: string) => number
}

/** What frames say, found in their bytes. Any bytes are taken, whatever came off the wire. */
export interface Frames {
  /**
   * The channel that a frame names; undefined for frames of no channel.
   * @param family of the segment that holds it, which may say what the frame leaves out; '' for a file outside of any
   */
  readonly channelOf: (frame: Buffer, family: string) => string | undefined
  /** Finds what names a channel in the text of a line: its first group. */
  readonly channelText: RegExp
  /** How the channel is called that such a text names in a segment of a family; without it as it stands there. */
  readonly calledIn?: (named: string, family: string) => string
  /** How a segment of a family spells an instrument; undefined where it holds nothing of it. Without it as people name it. */
  readonly spelledIn?: (instrument: string, family: string) => string | undefined
  /** A pattern for text of a line about an instrument that is spelled otherwise than `"instrument_name":"…"`; the name is a pattern. */
  readonly instrumentText?: (name: string) => string
}

/** What a channel brings data of. */
export interface Subject {
  readonly family: string
  readonly kinds: readonly Kind[]
  /** Instrument or index; undefined for a channel of all instruments of the kinds. */
  readonly name: string | undefined
  /**
   * Of such a channel: whose instruments they are, as names of channels say it: a currency, a coin or a family of
   * instruments, which need not be the currency that they are stored by. Without it, anybody's.
   */
  readonly whose?: string
}

/** What is known of a family, its own or one that every exchange has; of any other no more than that it came. */
export function familyOf(exchange: Pick<Exchange, 'families'>, name: string): Family {
  const isNamed = (family: Family) => family.name === name
  return exchange.families.find(isNamed) ?? commonFamilies.find(isNamed) ?? { name, comes: 'streamed' }
}

/** Families of which nothing is given up as long as there is anything else, in their order; the journal is the last. */
export function droppedLast({ families }: Pick<Exchange, 'families'>): string[] {
  return [...families, ...commonFamilies].flatMap(({ name, dropOrder }) => (dropOrder === 'last' ? [name] : []))
}

/** Families that are lost first when nothing can be stored, in this order, by what the exchanges say of them. */
export function droppedFirst(exchanges: readonly Pick<Exchange, 'families'>[]): string[] {
  const ranked = exchanges.flatMap(({ families }) => families.filter(({ dropOrder }) => typeof dropOrder === 'number'))
  ranked.sort((one, other) => Number(one.dropOrder) - Number(other.dropOrder))
  return [...new Set(ranked.map(({ name }) => name))]
}
