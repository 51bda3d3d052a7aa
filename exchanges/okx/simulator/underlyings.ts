import type { IndexSource, SpotPair, Underlying } from '../../../simulator/market/listing-plan.js'

export const INDEX_SOURCES: readonly IndexSource[] = [
  { name: 'BTC-USD', startPrice: 84_093, decimals: 1, volatility: 0.5 },
  { name: 'ETH-USD', startPrice: 2_715, decimals: 2, volatility: 0.7 },
  { name: 'BTC-USDT', startPrice: 84_080, decimals: 1, volatility: 0, follows: 'BTC-USD', factor: 0.9999 },
  { name: 'ETH-USDT', startPrice: 2_714, decimals: 2, volatility: 0, follows: 'ETH-USD', factor: 0.9999 },
  { name: 'SOL-USDT', startPrice: 120, decimals: 2, volatility: 0.8 },
  { name: 'ETH-BTC', startPrice: 0.032_2, decimals: 6, volatility: 0.3 },
]

const linear = (base: string, volatility: number, tickSize: number, contractSize: number): Underlying => {
  // The least order is a hundredth of a contract.
  const steps = { tickSize, minAmount: contractSize / 100, contractSize }
  const pair = `${base}-USDT`
  return {
    name: pair,
    base,
    quote: 'USDT',
    settle: 'USDT',
    linear: true,
    index: pair,
    basis: 0.05,
    volatility,
    perpetual: steps,
    ...(base !== 'SOL' && { future: steps }),
  }
}

const inverse = (
  base: string,
  volatility: number,
  steps: { tickSize: number; usd: number; coin: number; strikeStep: number; share: number },
): Underlying => {
  const pair = `${base}-USD`
  const contract = { tickSize: steps.tickSize, minAmount: steps.usd, contractSize: steps.usd }
  const { coin, strikeStep, share } = steps
  return {
    name: pair,
    base,
    quote: 'USD',
    settle: base,
    linear: false,
    index: pair,
    basis: 0.05,
    volatility,
    perpetual: contract,
    future: contract,
    option: { tickSize: 0.0001, minAmount: coin, contractSize: coin, strikeStep, share },
  }
}

/** A coin as one product family sees it. */
export const UNDERLYINGS: readonly Underlying[] = [
  linear('BTC', 0.41, 0.1, 0.01),
  linear('ETH', 0.62, 0.01, 0.1),
  linear('SOL', 0.75, 0.01, 1),
  inverse('BTC', 0.41, { tickSize: 0.1, usd: 100, coin: 0.01, strikeStep: 1000, share: 0.6 }),
  inverse('ETH', 0.62, { tickSize: 0.01, usd: 10, coin: 0.1, strikeStep: 50, share: 0.4 }),
]

const spot = (base: string, quote: string, tickSize: number, minAmount: number): SpotPair => ({
  base,
  quote,
  index: `${base}-${quote}`,
  steps: { tickSize, minAmount, contractSize: minAmount },
})

export const SPOT_PAIRS: readonly SpotPair[] = [
  spot('BTC', 'USDT', 0.1, 0.00001),
  spot('ETH', 'USDT', 0.01, 0.0001),
  spot('ETH', 'BTC', 0.00001, 0.001),
]
