import type { Exchange } from '../../exchanges/exchange.js'
import type { ExchangeProbe } from '../../recorder/probe-exchange.js'
import { tenthsText } from '../../platform/figures.js'
import { thrownFinding, type Finding } from './finding.js'

/** Beyond it receive times and the exchange's cannot be compared any more, µs. */
const OFFSET_US_WARNING = 100_000
const OFFSET_US_FAILED = 2_000_000
/** An answer that takes longer was sent far from the exchange. */
const ROUND_TRIP_US_SLOW = 250_000

const milliseconds = (us: number) => `${tenthsText(us / 1000)} ms`

/** What a look at the exchange says to a person. Pure. */
export function exchangeFindings(
  exchange: Pick<Exchange, 'title' | 'place'>,
  url: string,
  { families, channel, firstFrameMs, clock }: ExchangeProbe,
): Finding[] {
  const sum = { channels: 0, framesPerSecond: 0 }
  for (const family of families.values()) {
    sum.channels += family.channels
    sum.framesPerSecond += family.framesPerSecond
  }
  const taken = channel === undefined ? 'its feed' : channel
  const planned =
    channel === undefined
      ? ''
      : `; the config asks for ${tenthsText(sum.channels)} channels, about ${tenthsText(sum.framesPerSecond)} frames/s`
  const connected: Finding = {
    check: 'exchange',
    outcome: 'ok',
    message: `${url}: first frame of ${taken} ${tenthsText(firstFrameMs)} ms after dialling${planned}`,
    facts: {
      url,
      channel: channel ?? null,
      first_frame_ms: firstFrameMs,
      channels: sum.channels,
      frames_per_second: sum.framesPerSecond,
    },
  }
  return clock === undefined ? [connected] : [connected, judgeExchangeClock(clock, exchange)]
}

/** Half of the round trip is what the measurement may be wrong by. Pure. */
export function judgeExchangeClock(
  { offsetUs, roundTripUs }: { offsetUs: number; roundTripUs: number },
  { title, place }: Pick<Exchange, 'title' | 'place'>,
): Finding {
  const check = 'exchange clock'
  const surelyOffUs = Math.max(0, Math.abs(offsetUs) - roundTripUs / 2)
  const direction = offsetUs > 0 ? 'ahead of' : 'behind'
  const offset = `it is ${milliseconds(Math.abs(offsetUs))} ${direction} ours, round trip ${milliseconds(roundTripUs)}`
  const facts = { offset_us: offsetUs, round_trip_us: roundTripUs }
  if (surelyOffUs > OFFSET_US_WARNING) {
    const outcome = surelyOffUs > OFFSET_US_FAILED ? 'failed' : 'warning'
    return { check, outcome, message: offset, hint: 'set the clock of this machine right, see `clock`', facts }
  }
  if (roundTripUs > ROUND_TRIP_US_SLOW) {
    const near = place === undefined ? '' : ` (${title}: ${place})`
    const hint = `a server near the exchange${near} gets every frame sooner`
    return { check, outcome: 'warning', message: offset, hint, facts }
  }
  return { check, outcome: 'ok', message: offset, facts }
}

/** What went wrong, with what to do. */
export const exchangeFailure = (thrown: unknown): Finding =>
  thrownFinding(
    'exchange',
    thrown,
    'check exchange.url, the network of this machine, and whether a firewall lets port 443 out',
  )
