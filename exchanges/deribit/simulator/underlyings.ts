import type { TickStep } from '../../../simulator/market/price-grid.js'

/** How an instrument's prices and amounts step. */
export interface Steps {
  tickSize: number
  tickSteps?: readonly TickStep[]
  minAmount: number
  contractSize: number
}

/** A coin as one settlement currency sees it: `BTC` settles in BTC, `BTC_USDC` in USDC. */
export interface Underlying {
  /** What instrument names start with. */
  prefix: string
  base: string
  settlement: string
  linear: boolean
  index: string
  /** Fraction a year. */
  basis: number
  /** At-the-money volatility, as a fraction. */
  volatility: number
  perpetual: Steps
  future?: Steps
  option?: Steps & { strikeStep: number; share: number }
}

/** Where an index comes from: a walk of its own, or another one times a factor. */
export interface IndexSource {
  name: string
  startPrice: number
  decimals: number
  /** Of the walk, as a fraction a year. */
  volatility: number
  follows?: string
  factor?: number
}

export const INDEX_SOURCES: readonly IndexSource[] = [
  { name: 'btc_usd', startPrice: 84_250, decimals: 2, volatility: 0.5 },
  { name: 'eth_usd', startPrice: 2_715, decimals: 2, volatility: 0.7 },
  { name: 'sol_usdc', startPrice: 139, decimals: 4, volatility: 0.8 },
  { name: 'xrp_usdc', startPrice: 2.11, decimals: 4, volatility: 0.8 },
  { name: 'doge_usdc', startPrice: 0.1532, decimals: 6, volatility: 0.9 },
  { name: 'btc_usdc', startPrice: 84_267, decimals: 2, volatility: 0, follows: 'btc_usd', factor: 1.0002 },
  { name: 'eth_usdc', startPrice: 2_715.5, decimals: 2, volatility: 0, follows: 'eth_usd', factor: 1.0002 },
  { name: 'eth_btc', startPrice: 0.032_2, decimals: 6, volatility: 0.3 },
]

const COIN_STEP = [{ abovePrice: 0.005, tickSize: 0.0005 }]

export const UNDERLYINGS: readonly Underlying[] = [
  {
    prefix: 'BTC',
    base: 'BTC',
    settlement: 'BTC',
    linear: false,
    index: 'btc_usd',
    basis: 0.055,
    volatility: 0.41,
    perpetual: { tickSize: 0.5, minAmount: 10, contractSize: 10 },
    future: { tickSize: 2.5, minAmount: 10, contractSize: 10 },
    option: {
      tickSize: 0.0001,
      tickSteps: COIN_STEP,
      minAmount: 0.1,
      contractSize: 1,
      strikeStep: 1000,
      share: 0.45,
    },
  },
  {
    prefix: 'ETH',
    base: 'ETH',
    settlement: 'ETH',
    linear: false,
    index: 'eth_usd',
    basis: 0.045,
    volatility: 0.62,
    perpetual: { tickSize: 0.05, minAmount: 1, contractSize: 1 },
    future: { tickSize: 0.25, minAmount: 1, contractSize: 1 },
    option: { tickSize: 0.0001, tickSteps: COIN_STEP, minAmount: 1, contractSize: 1, strikeStep: 50, share: 0.35 },
  },
  {
    prefix: 'BTC_USDC',
    base: 'BTC',
    settlement: 'USDC',
    linear: true,
    index: 'btc_usdc',
    basis: 0.056,
    volatility: 0.41,
    perpetual: { tickSize: 0.1, minAmount: 0.0001, contractSize: 0.0001 },
    future: { tickSize: 0.1, minAmount: 0.0001, contractSize: 0.0001 },
    option: {
      tickSize: 5,
      tickSteps: [{ abovePrice: 1000, tickSize: 10 }],
      minAmount: 0.01,
      contractSize: 0.01,
      strikeStep: 1000,
      share: 0.12,
    },
  },
  {
    prefix: 'ETH_USDC',
    base: 'ETH',
    settlement: 'USDC',
    linear: true,
    index: 'eth_usdc',
    basis: 0.05,
    volatility: 0.62,
    perpetual: { tickSize: 0.01, minAmount: 0.001, contractSize: 0.001 },
  },
  {
    prefix: 'SOL_USDC',
    base: 'SOL',
    settlement: 'USDC',
    linear: true,
    index: 'sol_usdc',
    basis: 0.06,
    volatility: 0.75,
    perpetual: { tickSize: 0.01, minAmount: 0.1, contractSize: 0.1 },
    future: { tickSize: 0.01, minAmount: 0.1, contractSize: 0.1 },
  },
  {
    prefix: 'XRP_USDC',
    base: 'XRP',
    settlement: 'USDC',
    linear: true,
    index: 'xrp_usdc',
    basis: 0.04,
    volatility: 0.8,
    perpetual: { tickSize: 0.0001, minAmount: 1, contractSize: 1 },
    option: { tickSize: 0.0005, minAmount: 1000, contractSize: 1000, strikeStep: 0.125, share: 0.08 },
  },
  {
    prefix: 'DOGE_USDC',
    base: 'DOGE',
    settlement: 'USDC',
    linear: true,
    index: 'doge_usdc',
    basis: 0.03,
    volatility: 0.9,
    perpetual: { tickSize: 0.00001, minAmount: 100, contractSize: 100 },
  },
]

/** Spot pairs and the index beside them. */
export const SPOT_PAIRS: readonly { base: string; quote: string; index: string; steps: Steps }[] = [
  {
    base: 'BTC',
    quote: 'USDC',
    index: 'btc_usdc',
    steps: { tickSize: 0.5, minAmount: 0.0001, contractSize: 0.0001 },
  },
  { base: 'ETH', quote: 'USDC', index: 'eth_usdc', steps: { tickSize: 0.05, minAmount: 0.001, contractSize: 0.001 } },
  { base: 'ETH', quote: 'BTC', index: 'eth_btc', steps: { tickSize: 0.00001, minAmount: 0.01, contractSize: 0.01 } },
]
