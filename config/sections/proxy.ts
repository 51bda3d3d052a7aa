import { z } from '../../platform/zod.js'

export const proxy = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .refine(text => !text.includes('@'), 'an address without a login: that belongs into EDGETAPE_PROXY_LOGIN')
      .optional()
      .describe('HTTP proxy for exchanges and webhooks; none: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY'),
    except: z
      .array(z.string().min(1).max(253))
      .max(100)
      .default([])
      .describe('hosts reached directly, as in NO_PROXY; this machine always is'),
  })
  .prefault({})
