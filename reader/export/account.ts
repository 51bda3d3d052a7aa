import { isLost, type Channel, type StateSpan } from '../../coverage/account/account.js'
import { measureAccount } from '../../coverage/account/measure.js'
import { kindShown } from '../../coverage/account/targets.js'
import type { Names } from '../../exchanges/exchange.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { greatest, least } from '../../platform/extremes.js'
import { lengthUs, overlap, without, type Span } from '../../platform/spans.js'

/** A span in which something may be missing of what is exported. */
export interface ExportGap extends Span {
  cause: string
}

/** What is known of a part of the recording. */
export interface ExportAccount {
  /** From the first to the last moment that anybody wanted it recorded; undefined where nothing says so. */
  recorded: Span | undefined
  /** Within that. */
  gaps: ExportGap[]
}

/** Answers of one span, for each instrument (undefined: whichever came) in families of which any may bring it. */
export type AccountOf = (instrument: string | undefined, ...families: string[]) => ExportAccount

/**
 * The account of a span below a root: the one place where exports ask what is missing.
 * @param ends which ends of the span were asked for: elsewhere it ends where the recording does, and nothing is missing
 */
export async function accountOfSpan(
  root: string,
  exchange: string,
  window: Span,
  ends: { from: boolean; to: boolean },
): Promise<AccountOf> {
  const { groups } = await measureAccount(root, window)
  const { names } = exchangeNamed(exchange)
  return (instrument, ...families) => {
    const isOwn = (channel: Channel) =>
      channel.exchange === exchange &&
      families.includes(channel.family) &&
      (instrument === undefined || isOfOne(channel, instrument, names) || isOfAll(channel, instrument, names))
    return accountOf(
      groups.flatMap(({ spans, channels }) => (channels.some(isOwn) ? [spans] : [])),
      ends,
    )
  }
}

/** Whether a channel is that of one instrument. Where tables call several the same, the kind distinguishes them. */
function isOfOne({ isWhole, about, kind }: Channel, instrument: string, names: Names): boolean {
  if (isWhole) return false
  if (!names.nameInTables) return about === instrument
  return about === names.nameInTables(instrument) && kind === kindShown(names.partitionOfInstrument(instrument).kind)
}

/** Whether a channel of all instruments of a kind brings those of this one, or files without a journal may hold it. */
function isOfAll({ subject, stored }: Channel, instrument: string, names: Names): boolean {
  if (subject) return names.isAbout(subject, instrument)
  const { kind, currency } = names.partitionOfInstrument(instrument)
  return stored !== undefined && (stored.kind ?? kind) === kind && (stored.currency ?? currency) === currency
}

/** Between two imports, or while a subscription is renewed, so little time counts as none: nobody can do better, µs. */
const NEXT_TO_NOTHING_US = 1_000_000

/** What is missing of channels that bring the same: one that was recorded makes up for another that was not. Pure. */
export function accountOf(
  channels: readonly (readonly StateSpan[])[],
  ends: { from: boolean; to: boolean },
): ExportAccount {
  const spans = channels.flat()
  const wanted = spans.filter(span => span.state !== 'not recording' || isLost(span))
  if (wanted.length === 0) return { recorded: undefined, gaps: [] }
  const good = wanted.filter(span => !isLost(span))
  const first = ends.from || good.length === 0 ? wanted : good
  const last = ends.to || good.length === 0 ? wanted : good
  const recorded = { fromUs: least(first.map(one => one.fromUs)), toUs: greatest(last.map(one => one.toUs)) }
  const lost = spans.filter(isLost)
  const missing = without([recorded], good)
  const gaps = missing.flatMap(span => {
    const loss = lost.find(one => overlap([one], [span]).length > 0)
    return loss || lengthUs([span]) >= NEXT_TO_NOTHING_US ? [{ ...span, cause: loss?.cause ?? 'not recorded' }] : []
  })
  return { recorded, gaps }
}
