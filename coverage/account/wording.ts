import { countText } from '../../platform/figures.js'
import { lengthUs, type Span } from '../../platform/spans.js'
import { asOneLine } from '../../platform/wrapped.js'
import { LAST_SECONDS, type Channel } from './account.js'
import type { AccountSummary, Loss } from './account-summary.js'

/** The account in words, the same in the terminal, on the page and in a report. */

const DAY_US = 86_400_000_000

/** `0.4 s`, `35 s`, `12 min`, `3.5 h`: of a length of time. */
export function lengthText(us: number): string {
  const seconds = us / 1e6
  if (seconds < 0.05) return 'a moment'
  if (seconds < 10) return `${Math.round(10 * seconds) / 10} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 6) / 10} min`
  return `${Math.round(seconds / 360) / 10} h`
}

/** `14:02:11`, with the date where the window has several. */
export function timeText(us: number, window: Span): string {
  const text = new Date(Math.floor(us / 1000)).toISOString()
  const isOneDay = Math.floor(window.fromUs / DAY_US) === Math.floor((window.toUs - 1) / DAY_US)
  return isOneDay ? text.slice(11, 19) : `${text.slice(0, 10)} ${text.slice(11, 19)}`
}

/** Never rounded up to 100 %. */
export function shareText(share: number | undefined): string {
  return share === undefined ? '–' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}

const plural = (count: number, noun: string) => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`

/** Which channels: by name where it is one, by family where it is all of few. */
export function channelsText(channels: readonly Channel[], all: number): string {
  const [first] = channels
  if (channels.length === 1 && first) return `${first.family} ${first.about}`
  if (channels.length === all) return `all ${plural(all, 'channel')}`
  const abouts = new Set(channels.map(({ about }) => about))
  const families = [...new Set(channels.map(({ family }) => family))]
  if (abouts.size === 1 && first) return `${first.about} (${families.join(', ')})`
  const named = families.length <= 3 ? ` of ${families.join(', ')}` : ''
  return `${plural(channels.length, 'channel')}${named}`
}

/** The answer in one sentence. */
export function sentenceOf(summary: AccountSummary): string {
  const { losses, lostUs, channels, window, isEmpty, wanted, claimed } = summary
  if (isEmpty) return 'Nothing was recorded, and nothing is known of what was to be.'
  const [longest] = losses
  if (!longest) {
    const length = lengthText(lengthUs(wanted))
    if (claimed > 0 && claimed === channels)
      return `Files say: ${plural(channels, 'kind')} of data, ${length}. There is no journal, so gaps cannot be known.`
    const stop = stoppedText(summary)
    return `Complete: ${plural(channels - claimed, 'channel')}, ${length}${stop}.${claimedText(summary)}`
  }
  const what = `${asOneLine(longest.cause)} (${channelsText(longest.channels, channels)})`
  const how = lostUs > 0.5 * lengthUs(wanted) ? 'Incomplete: missing' : 'Complete but for'
  if (losses.length === 1)
    return `${how} ${lengthText(lostUs)}: ${timeText(longest.fromUs, window)}, ${what}.${claimedText(summary)}`
  return `${how} ${lengthText(lostUs)} in ${plural(losses.length, 'gap')}; the longest ${lengthText(longest.lostUs)}: ${timeText(longest.fromUs, window)}, ${what}.${claimedText(summary)}`
}

const stoppedText = ({ stoppedUs, window }: AccountSummary) =>
  stoppedUs === undefined ? '' : ` to ${timeText(stoppedUs, window)}, when the recorder was stopped`

const claimedText = ({ claimed }: AccountSummary) =>
  claimed === 0 ? '' : ` Of ${plural(claimed, 'further kind')} of data there is no journal, so gaps cannot be known.`

/** What was missed live and is there all the same; undefined where nothing was. */
export function healedText({ healed, window }: AccountSummary): string | undefined {
  const [longest] = healed
  if (!longest) return undefined
  const spans = `${plural(healed.length, 'span')} of trades`
  return `Healed: ${spans}, fetched and proven whole; the longest ${lengthText(longest.lostUs)}, ${timeText(longest.fromUs, window)}.`
}

/** What nobody can know yet; undefined where nothing is. */
export function pendingText({ pending }: AccountSummary): string | undefined {
  const causes = [...new Set(pending.map(textOfPending))]
  return causes.length === 0 ? undefined : `Not yet known: ${causes.join('; ')}.`
}

/** A recorder writes each second or so: where it has not for longer, that is said. */
const SECONDS_US = 15_000_000

const textOfPending = ({ cause, lostUs }: Loss) =>
  cause === LAST_SECONDS && lostUs > SECONDS_US
    ? `the last ${lengthText(lostUs)}, of which nothing is written yet`
    : asOneLine(cause)

/** Trades by their numbers, where they were counted. */
export function tradesText({ trades }: AccountSummary): string | undefined {
  const recorded = trades.reduce((sum, one) => sum + one.recorded, 0)
  const missing = trades.reduce((sum, one) => sum + one.missing, 0)
  if (recorded + missing === 0) return undefined
  return `Trades, by number, up to the last comparison with the exchange: ${countText(recorded)} of ${countText(recorded + missing)}.`
}

export function notOfferedText({ notOffered }: AccountSummary): string | undefined {
  if (notOffered.length === 0) return undefined
  const shown = notOffered.slice(0, 3).map(({ name }) => name)
  const more = notOffered.length - shown.length
  return `Listed but not offered: ${shown.join(', ')}${more > 0 ? ` and ${countText(more)} more` : ''}.`
}

export function lossText({ fromUs, lostUs, cause, channels }: Loss, { window, channels: all }: AccountSummary): string {
  return `${timeText(fromUs, window)}  ${lengthText(lostUs).padEnd(8)}  ${channelsText(channels, all)}: ${asOneLine(cause)}`
}
