import { z } from '../../platform/zod.js'
import { amount } from '../values.js'

export const retention = z
  .strictObject({
    keepHours: amount(0, Infinity, 48, 'how long verified files stay here at least, hours'),
    minFreeGiB: amount(0, Infinity, 2, 'with less free disk than this, verified files are deleted earlier, GiB'),
    maxDataGiB: amount(
      0,
      Infinity,
      0,
      'with a larger dataDir than this, verified files are deleted earlier, GiB; 0: no limit',
    ),
  })
  .prefault({})
