import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Every chance the market takes comes from here, so a seed decides all of it. */
export class Random {
  private readonly generator: RandomGenerator

  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed)
  }

  /** In [0, 1). */
  float(): number {
    return uniformFloat64(this.generator)
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.float()
  }

  /** Both ends included. */
  int(low: number, high: number): number {
    return uniformInt(this.generator, low, high)
  }

  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** Mean 0, deviation 1 (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float())
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.int(0, items.length - 1)] ?? items[0]
  }
}

/** A value in [0, 1) that depends on nothing but its arguments: history that was never stored still reads the same twice. */
export function fixedChance(seed: number, ...parts: number[]): number {
  let state = seed | 0
  for (const part of parts) {
    state = Math.imul(state ^ (part | 0), 0x9e3779b1) ^ Math.floor(part / 2 ** 32)
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b)
    state ^= state >>> 13
  }
  return (state >>> 0) / 2 ** 32
}
