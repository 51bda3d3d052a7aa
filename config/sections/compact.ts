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
      .describe(
        "make one file of a past day's hourly files, in each partition; see sync.superseded where files go through rsync",
      ),
    rollUpAfterMinutes: amount(0, 10_080, 60, 'how long after the end of a day (UTC) that is done, minutes'),
    duplicates: z
      .enum(['drop', 'keep'])
      .default('drop')
      .describe('events received twice (two connections, backfill, two hosts): in the tables once, or each copy'),
    duplicatesWindowMs: whole(
      0,
      600_000,
      5000,
      'how far apart equal frames of two connections may be received to count as one event, ms',
    ),
  })
  .prefault({})
