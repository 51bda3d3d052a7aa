import { z } from '../../platform/zod.js'

export const report = z
  .strictObject({
    nightly: z
      .boolean()
      .default(false)
      .describe('a report of each day once it is over, reports/date=…/report-….html in dataDir, shipped with the rest'),
  })
  .prefault({})
