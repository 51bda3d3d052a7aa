import { books } from '../../../exchanges/okx/book.js'
import { frames } from '../../../exchanges/okx/frames.js'
import { okx } from '../../../exchanges/okx/main.js'
import { recordedTrades } from '../../../exchanges/okx/trade-numbers.js'
import { commonFamilies } from '../../../exchanges/family.js'
import { quietSession } from './quiet-session.js'

/** Mulberry32: enough for tests, and the same for a seed. */
export function chances(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Texts that a hostile exchange might put in. */
const BITS = [
  '../../../etc/passwd',
  '__proto__',
  'constructor',
  '\0',
  '"',
  '\\',
  '{',
  '}}',
  '[[[[',
  '1e999',
  '-0',
  '99999999999999999999',
  'NaN',
  'null',
  'true',
  '"arg":{"channel":"books","instId":"',
  ',"data":[',
  '🎲',
  '/date=2026-01-01/',
]

/** One frame changed in one to four places. */
export function mutated(all: readonly Buffer[], chance: () => number): Buffer {
  const pick = <T>(of: readonly T[]) => of[Math.floor(chance() * of.length)] as T
  let bytes = Buffer.from(pick(all))
  for (let count = 1 + Math.floor(chance() * 4); count > 0; count--) {
    const at = Math.floor(chance() * (bytes.length + 1))
    const to = Math.min(bytes.length, at + Math.floor(chance() * 40))
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (Math.floor(chance() * 7)) {
      case 0:
        if (at < bytes.length) bytes[at] = Math.floor(chance() * 256)
        break
      case 1:
        bytes = Buffer.concat([before, bytes.subarray(to)])
        break
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(at, to), after])
        break
      case 3:
        bytes = Buffer.concat([before, Buffer.from(pick(BITS)), after])
        break
      case 4:
        bytes = Buffer.from(before)
        break
      case 5: {
        const other = pick(all)
        bytes = Buffer.concat([before, other.subarray(Math.floor(chance() * other.length))])
        break
      }
      default:
        // A value in the place of another.
        bytes = Buffer.from(
          bytes.toString('latin1').replace(/"[^"]{1,40}"(?=[,}\]])/, () => `"${pick(BITS)}"`),
          'latin1',
        )
    }
  }
  return bytes
}

/**
 * Lets a session and all that reads recordings meet so many frames that nobody would send.
 * @returns each with the family that it was kept under, for `keep`ing
 * @throws Error something threw, or a family that is none
 */
export function fuzz(
  all: readonly Buffer[],
  count: number,
  seed: number,
  keep: (family: string, frame: Buffer) => void = () => undefined,
): void {
  const chance = chances(seed)
  const families = new Set([...okx.families, ...commonFamilies].map(({ name }) => name))
  const { session } = quietSession()
  try {
    for (let number = 0; number < count; number++) {
      const bytes = mutated(all, chance)
      try {
        const family = session.data(bytes, number + 1) ?? session.control(bytes).family
        if (!families.has(family)) throw new Error(`family ${family}`)
        const channel = frames.channelOf(bytes, family)
        if (channel !== undefined) {
          okx.names.subjectOf(channel)
          okx.names.expiryMsOf(channel)
        }
        books.isSnapshot(bytes)
        books.changeOf(bytes.toString('utf8'))
        recordedTrades.each(bytes, () => undefined)
        recordedTrades.newestMs(bytes)
        keep(family, bytes)
      } catch (cause) {
        throw new Error(`seed ${seed}, frame ${number}: ${bytes.toString('latin1')}`, { cause })
      }
    }
  } finally {
    session.closed()
  }
}
