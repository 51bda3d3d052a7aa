import { z } from '../platform/zod.js'

/** Keys that the configs of several exchanges have in common. */

/** @param what whose snapshots these are */
export const snapshotHours = (what: string) =>
  z
    .number()
    .min(0)
    .max(168)
    .default(24)
    .describe(`how often ${what} is resubscribed for a fresh snapshot, hours; 0: never`)

export const redundancy = z.literal([1, 2]).default(1).describe('2: every channel on two connections at once')
