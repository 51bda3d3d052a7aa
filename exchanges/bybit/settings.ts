import { redundancyQuestion, urlQuestion, type Question, type Settings } from '../settings.js'
import type { BybitConfig } from './config.js'

const KINDS = ['perpetual', 'future', 'option', 'spot']

const instruments: Question = {
  name: 'instruments',
  takes: '<list>',
  meaning: 'symbols with * for any text, such as BTC*,ETH*',
  asked: { message: 'Which symbols? (* is any text)', proposal: 'BTC*, ETH*' },
  isList: true,
  complaint: found => {
    const fits = found.length > 0 && found.every(word => /^[A-Z0-9*.-]{1,40}$/.test(word))
    return fits ? undefined : 'symbols such as BTCUSDT or BTC*'
  },
}

const kinds: Question = {
  name: 'kinds',
  takes: '<list>',
  meaning: `of ${KINDS.join(',')}`,
  asked: { message: 'Which instruments? (space takes one or leaves it)' },
  options: KINDS.map(kind => ({ value: kind, label: kind })),
  isList: true,
}

const depth: Question = {
  name: 'depth',
  takes: '<n>',
  meaning: 'levels of books: 1000, 200 or 50',
  asked: { message: 'How deep are books to be?' },
  options: [
    { value: '1000', label: '1000', hint: 'the deepest, every 200 ms' },
    { value: '200', label: '200', hint: 'every 100 ms' },
    { value: '50', label: '50', hint: 'every 20 ms; more traffic' },
  ],
}

export const settings: Settings<BybitConfig> = {
  schema: async () => (await import('./config.js')).bybitConfig,
  summaryOf: config => `${config.instruments.join(', ')} with books of ${config.depth} levels`,
  // Four categories, each with connections of its own.
  connectionsMax: config => config.connectionsMax * 4,
  questions: [urlQuestion, instruments, kinds, depth, redundancyQuestion],
  valuesOf: answers => {
    const unwanted = answers['kinds'] ? KINDS.filter(kind => !answers['kinds']?.includes(kind)) : []
    const numberOf = (name: string) => (answers[name] === undefined ? undefined : Number(answers[name]))
    return {
      url: answers['url'],
      instruments: answers['instruments'],
      depth: numberOf('depth'),
      redundancy: numberOf('redundancy'),
      channels: unwanted.length === 0 ? undefined : Object.fromEntries(unwanted.map(kind => [kind, []])),
    }
  },
  hints: {
    plansNothing: 'check exchange.instruments and exchange.channels; from some regions the exchange answers nobody',
    refused: 'check exchange.url, which is without a category, and exchange.channels',
  },
}
