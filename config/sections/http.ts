import { z } from '../../platform/zod.js'
import { amount, whole } from '../values.js'

export const http = z
  .strictObject({
    enabled: z.boolean().default(true).describe('status page and metrics, served by edgetape run and edgetape serve'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address to listen on; anyone who can reach it can read them'),
    port: whole(0, 65_535, 9464, 'port to listen on; 0: any free one, see the log'),
    noDataSeconds: amount(
      1,
      86_400,
      60,
      '/healthz and /readyz turn red after this much silence of the exchange, seconds',
    ),
  })
  .prefault({})
