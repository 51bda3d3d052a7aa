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
      8,
      'longest segment of a low-traffic family, hours; it is uploaded when sealed; divides the day; 1: one segment per hour',
    ).refine(hours => 24 % hours === 0, { error: 'hours that divide the day, such as 24, 8 or 1' }),
    littleMiB: amount(
      0.01,
      1024,
      4,
      'largest such segment, MiB compressed; a family counts as low-traffic while two of its hours fit',
    ),
    flushMs: whole(
      50,
      60_000,
      10_000,
      'longest time span of one zstd frame in an open segment, ms; lines can be read, and survive a kill, within 0.1 s',
    ),
    fsyncMs: whole(50, 60_000, 1000, 'how often lines are made safe against a power cut (fsync), ms'),
    groupBy: z
      .enum(['family', 'family+kind', 'family+kind+currency'])
      .default('family')
      .describe("what one segment holds: a family, or a family's instruments of one kind, or of one kind and currency"),
    queueMiB: whole(
      8,
      4096,
      64,
      'most memory for frames while the disk is slow or full, MiB; beyond it the sockets are paused, or families are dropped',
    ),
    reserveMiB: whole(
      1,
      1024,
      8,
      'disk space reserved for the journal, for when there is no room for anything else, MiB',
    ),
    dropOrder: z
      .array(droppableFamily)
      .optional()
      .describe(
        "which families to drop first when disk and memory are full; trades and the journal go last; default: the exchange's own order",
      ),
    openFilesMax: whole(
      1,
      100_000,
      128,
      'most segment files held open at once; others are closed, and opened again when needed',
    ),
  })
  .prefault({})
