import {
  commonValues,
  kindsQuestion,
  redundancyQuestion,
  urlQuestion,
  type Question,
  type Settings,
} from '../settings.js'
import type { OkxConfig } from './config.js'

const KINDS = ['perpetual', 'future', 'option', 'spot']

const instruments: Question = {
  name: 'instruments',
  takes: '<list>',
  meaning: 'names of instruments, * for anything, such as BTC*,ETH*',
  asked: { message: 'Which instruments, by name (* stands for anything)?', proposal: 'BTC*, ETH*' },
  isList: true,
  complaint: found => {
    const fits = found.length > 0 && found.every(word => /^[A-Z0-9*._-]{1,64}$/.test(word))
    return fits ? undefined : 'names of instruments, with * for anything, such as BTC*'
  },
}

export const settings: Settings<OkxConfig> = {
  schema: async () => (await import('./config.js')).okxConfig,
  summaryOf: config => config.instruments.join(', '),
  connectionsMax: config => config.connectionsMax,
  questions: [urlQuestion, instruments, kindsQuestion(KINDS), redundancyQuestion],
  valuesOf: answers => {
    const { url, ...others } = commonValues(KINDS, answers)
    return { url, instruments: answers['instruments'], ...others }
  },
  hints: {
    plansNothing: 'check exchange.instruments and exchange.channels',
    refused: 'check exchange.channels and exchange.instruments',
  },
}
