import {
  commonValues,
  kindsQuestion,
  redundancyQuestion,
  urlQuestion,
  type Question,
  type Settings,
} from '../settings.js'
import type { DeribitConfig } from './config.js'

const KINDS = ['perpetual', 'future', 'option', 'spot', 'combo']

const currencies: Question = {
  name: 'currencies',
  takes: '<list>',
  meaning: 'settlement currencies, such as BTC,ETH, or any',
  asked: { message: 'Settlement currencies (BTC, ETH, USDC, …), or any?', proposal: 'BTC, ETH' },
  isList: true,
  complaint: found => {
    const fits = found.length > 0 && found.every(word => /^([A-Z0-9]{2,12}|any)$/.test(word))
    return fits ? undefined : 'settlement currencies such as BTC, or any'
  },
}

const interval: Question = {
  name: 'interval',
  takes: '<interval>',
  asked: { message: 'How finely are they to come?' },
  options: [
    { value: '100ms', label: '100ms', hint: 'needs no account' },
    { value: 'raw', label: 'raw', hint: 'each change by itself; needs an API key, and several times the disk' },
    { value: 'agg2', label: 'agg2', hint: 'about one frame a second' },
  ],
}

export const settings: Settings<DeribitConfig> = {
  schema: async () => (await import('./config.js')).deribitConfig,
  login: {
    id: 'DERIBIT_CLIENT_ID',
    secret: 'DERIBIT_CLIENT_SECRET',
    meaning: 'raw intervals',
    neededBy: config => (wantsRaw(config) ? 'raw is given only to those who log in' : undefined),
  },
  summaryOf: config => `${config.currencies.join(', ')} at ${config.interval}`,
  connectionsMax: config => config.connectionsMax,
  questions: [urlQuestion, currencies, kindsQuestion(KINDS), interval, redundancyQuestion],
  valuesOf: answers => {
    const { url, ...others } = commonValues(KINDS, answers)
    return { url, currencies: answers['currencies'], interval: answers['interval'], ...others }
  },
  hints: {
    plansNothing: 'check exchange.currencies and exchange.channels',
    refused: 'check DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, that the key is of this system, and exchange.channels',
  },
}

/** Raw intervals are only given to those who log in. */
export function wantsRaw({ interval, intervals }: Pick<DeribitConfig, 'interval' | 'intervals'>): boolean {
  return interval === 'raw' || Object.values(intervals).some(each => each === 'raw')
}
