/** What the exchange's names say: the family of a channel, kind and currency of an instrument or index, when it expires. */

import { parsedObject } from '../../platform/json-object.js'
import { safeCurrency, type Kind, type Partition } from '../../formats/partition.js'
import type { Subject } from '../exchange.js'
import type { NamedChannel } from '../known-channels.js'
import { families, familyNamed } from './families.js'

/**
 * Channels have names of our own, `<channel>.<what it is about>`, since the wire names them by an object:
 * `{"channel":"books","instId":"BTC-USDT"}` is `books.BTC-USDT`.
 */
export interface ChannelArg {
  channel: string
  instId?: string
  instFamily?: string
  instType?: string
}

const CANDLE = /^((?:mark-price-|index-)?candle)\d{1,2}[smHDWM](?:utc)?$/
const FAMILIES: ReadonlySet<string> = new Set(families.flatMap(row => ('by' in row ? [row.name] : [])))

/** The channel before the first dot, as the wire has it. */
const headOf = (channel: string) => {
  const dot = channel.indexOf('.')
  return dot < 0 ? channel : channel.slice(0, dot)
}
const aboutOf = (channel: string) => channel.slice(headOf(channel).length + 1)

/** Family of a channel; `other` for anything unknown. It names a folder, so it is one of a fixed set, whatever the wire says. */
export function familyOfChannel(channel: string): string {
  const head = headOf(channel)
  const family = CANDLE.exec(head)?.[1] ?? head
  return FAMILIES.has(family) ? family : 'other'
}

/** Our name of a channel. */
export function nameOfArg({ channel, instId, instFamily, instType }: ChannelArg): string {
  const about = instId || instFamily || instType
  return about ? `${channel}.${about}` : channel
}

/** The wire's name of a channel; undefined for one that nothing is known of. */
export function argOf(channel: string): ChannelArg | undefined {
  const row = familyNamed(familyOfChannel(channel))
  const head = { channel: headOf(channel) }
  const about = aboutOf(channel)
  switch (row?.by) {
    case 'instrument': {
      const instType = row.name === 'estimated-price' ? typeOfInstrument(about) : undefined
      return { ...head, ...(instType !== undefined && { instType }), instId: about }
    }
    case 'index':
      return { ...head, instId: about }
    case 'family':
      return { ...head, instFamily: about }
    case 'family of a type':
      return { ...head, instType: 'OPTION', instFamily: about }
    case 'type':
      return { ...head, instType: about }
    case 'nothing':
      return head
    default:
      return undefined
  }
}

/** Families whose frames say that instruments come or go. */
const NEWS_FAMILY = 'instruments'

/** What is to be known of a channel by the text that names it in frames: the members of `arg`. */
export function describeArg(text: string): NamedChannel {
  const channel = nameOfArg(parsedArg(text))
  const family = familyOfChannel(channel)
  return { channel, family, isNews: family === NEWS_FAMILY }
}

function parsedArg(text: string): ChannelArg {
  const arg = parsedObject(`{${text}}`)
  if (!arg) return { channel: '' }
  const textOf = (member: string) => {
    const value = arg[member]
    return typeof value === 'string' ? value : ''
  }
  return {
    channel: textOf('channel'),
    instId: textOf('instId'),
    instFamily: textOf('instFamily'),
    instType: textOf('instType'),
  }
}

const PAIR = '[A-Z0-9]{1,20}-[A-Z0-9]{1,20}(?:_UM)?'

/** In this order: the first pattern that fits decides. */
const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['perpetual', new RegExp(`^${PAIR}-SWAP$`)],
  ['future', new RegExp(`^${PAIR}-[0-9]{6}$`)],
  ['option', new RegExp(`^${PAIR}-[0-9]{6}-[0-9]+(?:\\.[0-9]+)?-[CP]$`)],
  ['spot', /^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/],
]

/** Base, and what stands behind it up to the next hyphen. */
const pairOf = (name: string) => name.split('-', 2) as [string, string?]

/**
 * Where rows of an instrument belong: kind, and the currency that it settles in. `…-USD` contracts are paid in their coin,
 * `…-USD_UM` ones in USD; of spot it is the quote. A name that fits no rule has kind `none` and currency `OTHER`.
 */
export function partitionOfInstrument(name: string): Partition {
  const kind = KINDS.find(([, pattern]) => pattern.test(name))?.[0]
  if (kind === undefined) return { kind: 'none', currency: 'OTHER' }
  const [base, quote = ''] = pairOf(name)
  if (kind === 'spot') return { kind, currency: safeCurrency(quote) }
  return { kind, currency: safeCurrency(quote === 'USD' ? base : quote.replace(/_UM$/, '')) }
}

/** Where rows of an index belong: `BTC-USD` → BTC. */
export function partitionOfIndex(name: string): Partition {
  return { kind: 'index', currency: safeCurrency(pairOf(name)[0]) }
}

const isIndexFamily = (family: string) => familyNamed(family)?.by === 'index'

/** The same of a row, by the family that brought it: an index is called as a spot pair is. */
export function partitionOfRow(name: string, family: string): Partition {
  return isIndexFamily(family) ? partitionOfIndex(name) : partitionOfInstrument(name)
}

/** Kinds of an `instType`. */
const KIND_OF_TYPE: Readonly<Record<string, Kind>> = {
  SPOT: 'spot',
  MARGIN: 'spot',
  SWAP: 'perpetual',
  FUTURES: 'future',
  OPTION: 'option',
}

/** As the exchange names kinds; undefined for a name without one. */
export function typeOfInstrument(name: string): string | undefined {
  const { kind } = partitionOfInstrument(name)
  return Object.keys(KIND_OF_TYPE).find(type => type !== 'MARGIN' && KIND_OF_TYPE[type] === kind)
}

const kindOfType = (type: string) => (Object.hasOwn(KIND_OF_TYPE, type) ? KIND_OF_TYPE[type] : undefined)

/** Kind and currency of what a channel is about; undefined where its name does not say. */
export function partitionOfChannel(channel: string): Partition | undefined {
  const family = familyOfChannel(channel)
  const about = aboutOf(channel)
  switch (familyNamed(family)?.by) {
    case 'instrument':
    case 'index': {
      const partition = partitionOfRow(about, family)
      return partition.kind === 'none' ? undefined : partition
    }
    case 'family':
    case 'family of a type':
      return { kind: 'option', currency: partitionOfInstrument(`${about}-SWAP`).currency }
    case 'type': {
      const kind = kindOfType(about)
      return kind && { kind, currency: 'OTHER' }
    }
    default:
      return undefined
  }
}

/** What a channel promises data of; undefined for one that is about no instrument and no index. */
export function subjectOf(channel: string): Subject | undefined {
  const family = familyOfChannel(channel)
  const partition = partitionOfChannel(channel)
  if (!partition) return undefined
  const { kind } = partition
  switch (familyNamed(family)?.by) {
    case 'instrument':
    case 'index':
      return { family, kinds: [kind], name: aboutOf(channel) }
    case 'type':
      return { family, kinds: [kind], name: undefined }
    default:
      return { family, kinds: [kind], name: undefined, whose: aboutOf(channel) }
  }
}

/** Whether a channel's data are of this instrument or index, too. Several families of instruments settle in one currency. */
export function isAbout({ kinds, name, whose }: Subject, about: string): boolean {
  if (name !== undefined) return name === about
  const isWhose = whose === undefined || about.startsWith(`${whose}-`)
  return isWhose && kinds.includes(partitionOfInstrument(about).kind)
}

/** When the instrument of a channel expires, at 08:00 UTC of the day in its name, ms since the epoch; `Infinity` where it has none. */
export function expiryMsOf(channel: string): number {
  const [, year = '', month = '', day = ''] = /-(\d\d)(\d\d)(\d\d)(?:-|$)/.exec(channel) ?? []
  return year === '' ? Infinity : Date.UTC(2000 + Number(year), Number(month) - 1, Number(day), 8)
}
