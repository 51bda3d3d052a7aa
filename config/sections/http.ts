import { z } from '../../platform/zod.js'
import { amount, whole } from '../values.js'

export const http = z
  .strictObject({
    enabled: z.boolean().default(true).describe('status page and metrics, served by edgetape run and edgetape serve'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address they are served on; whoever reaches it may read them'),
    port: whole(0, 65_535, 9464, 'port they are served on; 0: any that is free, see the log'),
    noDataSeconds: amount(1, 86_400, 60, 'silence of the exchange after which /healthz and /readyz turn red, seconds'),
  })
  .prefault({})
