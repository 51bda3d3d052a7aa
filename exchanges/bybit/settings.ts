import {
  commonValues,
  kindsQuestion,
  redundancyQuestion,
  urlQuestion,
  type Question,
  type Settings,
} from '../settings.js'
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
  questions: [urlQuestion, instruments, kindsQuestion(KINDS), depth, redundancyQuestion],
  valuesOf: answers => {
    const { url, ...others } = commonValues(KINDS, answers)
    const depth = answers['depth'] === undefined ? undefined : Number(answers['depth'])
    return { url, instruments: answers['instruments'], depth, ...others }
  },
  hints: {
    plansNothing: 'check exchange.instruments and exchange.channels; from some regions the exchange answers nobody',
    refused: 'check exchange.url, which is without a category, and exchange.channels',
  },
}
