import { z } from '../../platform/zod.js'
import { droppedLast } from '../../exchanges/exchange.js'
import { exchanges } from '../../exchanges/registry.js'
import { amount, whole } from '../values.js'

const lastFamilies = [...new Set(exchanges.flatMap(droppedLast))]
const droppableFamily = z
  .string()
  .refine(
    name => /^[a-z][a-z0-9_.-]{0,63}$/.test(name) && !lastFamilies.includes(name),
    `a family other than ${lastFamilies.join(' and ')}`,
  )

export const segments = z
  .strictObject({
    rotateMinutes: z
      .number()
      .min(0.1)
      .max(60)
      .refine(
        minutes => Number.isInteger(Math.round(60_000 * minutes) / 1000) && 3600 % Math.round(60 * minutes) === 0,
        {
          error: 'minutes that divide the hour, such as 60, 15 or 0.5',
        },
      )
      .default(60)
      .describe('longest span of one segment, minutes; divides the hour'),
    rotateMiB: amount(1, 1024, 64, 'size at which a segment is sealed early, MiB compressed'),
    longestHours: whole(
      1,
      24,
      6,
      'hours that a family of little may go on in one segment, which is brought to the target when it is over; divides the day; 1: each hour has one',
    ).refine(hours => 24 % hours === 0, { error: 'hours that divide the day, such as 24, 6 or 1' }),
    littleMiB: amount(
      0.01,
      1024,
      4,
      'what such a segment may come to, MiB compressed; a family is of little while two of its hours fit',
    ),
    flushMs: whole(
      50,
      60_000,
      10_000,
      'longest span of the lines in one zstd frame of an open segment, ms; they can be read, and outlive a kill, within 0.1 s',
    ),
    fsyncMs: whole(50, 60_000, 1000, 'how often they are made safe against a power cut, ms'),
    groupBy: z
      .enum(['family', 'family+kind', 'family+kind+currency'])
      .default('family')
      .describe('what the lines of one segment have in common: family, family+kind or family+kind+currency'),
    queueMiB: whole(
      8,
      4096,
      64,
      'frames held in memory while the disk is slow or full, MiB; beyond it the sockets are paused, or families are dropped',
    ),
    reserveMiB: whole(
      1,
      1024,
      8,
      'kept free on disk for the journal, for when there is no room for anything else, MiB',
    ),
    dropOrder: z
      .array(droppableFamily)
      .optional()
      .describe(
        "families lost first, in this order, when the disk takes nothing and memory is full; trades and the journal are last; default: the exchange's least first",
      ),
    openFilesMax: whole(
      1,
      100_000,
      128,
      'open segments whose file is held open at once; the others are closed and opened again when needed',
    ),
  })
  .prefault({})
