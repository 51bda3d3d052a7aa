import { redundancyQuestion, urlQuestion, type Question, type Settings } from '../settings.js'
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

const kinds: Question = {
  name: 'kinds',
  takes: '<list>',
  meaning: `of ${KINDS.join(',')}`,
  asked: { message: 'Which kinds? (space takes one or leaves it)' },
  options: KINDS.map(kind => ({ value: kind, label: kind })),
  isList: true,
}

export const settings: Settings<OkxConfig> = {
  schema: async () => (await import('./config.js')).okxConfig,
  summaryOf: config => config.instruments.join(', '),
  connectionsMax: config => config.connectionsMax,
  questions: [urlQuestion, instruments, kinds, redundancyQuestion],
  valuesOf: answers => {
    const unwanted = answers['kinds'] ? KINDS.filter(kind => !answers['kinds']?.includes(kind)) : []
    return {
      url: answers['url'],
      instruments: answers['instruments'],
      redundancy: answers['redundancy'] === undefined ? undefined : Number(answers['redundancy']),
      channels: unwanted.length === 0 ? undefined : Object.fromEntries(unwanted.map(kind => [kind, []])),
    }
  },
  hints: {
    plansNothing: 'check exchange.instruments and exchange.channels',
    refused: 'check exchange.channels and exchange.instruments',
  },
}
