import { z } from '../../platform/zod.js'
import { amount } from '../values.js'

export const retention = z
  .strictObject({
    keepHours: amount(0, Infinity, 48, 'verified files stay here at least this long, hours'),
    minFreeGiB: amount(0, Infinity, 2, 'below this much free disk verified files go earlier, GiB'),
    maxDataGiB: amount(0, Infinity, 0, 'above this size of dataDir verified files go earlier, GiB; 0: no limit'),
  })
  .prefault({})
