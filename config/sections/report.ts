import { z } from '../../platform/zod.js'

export const report = z
  .strictObject({
    nightly: z
      .boolean()
      .default(false)
      .describe('write a report of each past day, reports/date=…/report-….html in dataDir, uploaded like the rest'),
  })
  .prefault({})
