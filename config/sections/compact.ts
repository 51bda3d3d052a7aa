import { z } from '../../platform/zod.js'
import { amount, whole } from '../values.js'

export const compact = z
  .strictObject({
    memoryMiB: whole(96, 65_536, 256, 'memory bound of the converter, MiB'),
    threads: whole(1, 64, 1, 'threads of the converter'),
    order: z.enum(['oldest', 'newest']).default('oldest').describe('which segments of a backlog come first'),
    rollUp: z
      .boolean()
      .default(true)
      .describe("merge a past day's hourly files into one per partition; for targets over rsync see sync.superseded"),
    rollUpAfterMinutes: amount(0, 10_080, 60, 'how long after the end of a day (UTC) its files are merged, minutes'),
    duplicates: z
      .enum(['drop', 'keep'])
      .default('drop')
      .describe('events received twice (two connections, backfill, two hosts): drop keeps one row, keep all of them'),
    duplicatesWindowMs: whole(
      0,
      600_000,
      5000,
      'equal frames of two connections received within this time count as one event, ms',
    ),
  })
  .prefault({})
