import { z } from '../../platform/zod.js'
import { amount } from '../values.js'

export const verify = z
  .strictObject({
    scrub: amount(
      0,
      168,
      2,
      'every file is read again and held against its checksums, here and at sync.target, a little a day, hours a week; 0: never',
    ),
  })
  .prefault({})
