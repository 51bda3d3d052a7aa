import type { ChannelPlan } from '../adapter.js'
import type { OkxConfig } from './config.js'
import { familyNamed, type ConfigKind } from './families.js'
import { TYPES, kindOfType, type Instrument } from './instruments.js'

/** How much quieter the other kinds are. */
const ACTIVITY: Record<ConfigKind, number> = { perpetual: 1, future: 0.2, option: 0.04, spot: 0.5 }

/** What to subscribe for these instruments by this config. Pure: the same instruments give the same plan. */
export function planChannels(instruments: readonly Instrument[], config: OkxConfig): ChannelPlan {
  const plan = new Map<string, number>()
  const add = (family: string, channel: string, activity = 1) => {
    const weight = (familyNamed(family)?.framesPerSecond ?? 0) * activity
    plan.set(channel, Math.max(plan.get(channel) ?? 0, weight))
  }
  for (const { instrument_name: name, kind, instFamily, index } of instruments) {
    for (const family of config.channels[kind]) {
      const by = familyNamed(family)?.by
      if (by === 'instrument') for (const channel of ofName(family, name, config)) add(family, channel, ACTIVITY[kind])
      else if (by === 'family' || by === 'family of a type') add(family, `${family}.${instFamily}`)
      else if (by === 'type') add(family, `${family}.${typeOf(kind, family)}`)
    }
    for (const family of config.channels.index)
      for (const channel of ofName(family, index, config)) add(family, channel)
  }
  for (const type of TYPES) {
    const isTaken = instruments.some(({ kind }) => kind === kindOfType[type])
    if (isTaken) add('instruments', `instruments.${type}`)
  }
  if (instruments.length > 0) for (const channel of ['status', ...config.channels.exchange]) add(channel, channel)
  return plan
}

function ofName(family: string, name: string, { candleBars }: OkxConfig): string[] {
  return family.endsWith('candle') ? candleBars.map(bar => `${family}${bar}.${name}`) : [`${family}.${name}`]
}

/** Spot is liquidated as margin. */
function typeOf(kind: ConfigKind, family: string): string {
  if (kind === 'spot' && family === 'liquidation-orders') return 'MARGIN'
  return TYPES.find(type => kindOfType[type] === kind) ?? ''
}
