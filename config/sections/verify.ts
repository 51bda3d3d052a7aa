import { z } from '../../platform/zod.js'
import { amount } from '../values.js'

export const verify = z
  .strictObject({
    scrub: amount(
      0,
      168,
      2,
      'time spent per week on reading every file again and checking its checksums, here and at sync.target, hours; 0: never',
    ),
  })
  .prefault({})
