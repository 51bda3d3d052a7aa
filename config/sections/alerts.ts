import { z } from '../../platform/zod.js'
import { pathMeta } from '../paths.js'
import { amount, path, whole } from '../values.js'

export const alerts = z
  .strictObject({
    webhook: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('address that gets each alert as JSON by POST; none: no webhook'),
    webhookFile: path.optional().describe("file that contains the webhook's address, if it is a secret"),
    slackFile: path.optional().describe('file with the address of an incoming webhook of Slack'),
    discordFile: path.optional().describe('file with the address of a webhook of a Discord channel'),
    telegramFile: path
      .optional()
      .describe('file with https://api.telegram.org/bot<token>/sendMessage?chat_id=<chat> for Telegram'),
    ntfyFile: path.optional().describe('file with the address of a topic of ntfy, such as https://ntfy.sh/<topic>'),
    pagerdutyFile: path
      .optional()
      .describe('file with https://events.pagerduty.com/v2/enqueue?routing_key=<key> for PagerDuty'),
    pingFile: path
      .optional()
      .describe(
        'file with an address that is called while all is well; when the calls stop, the service behind it raises the alarm',
      ),
    pingMinutes: amount(0.1, 1440, 1, 'how often it is called, minutes'),
    command: z
      .array(z.string())
      .min(1)
      .meta(pathMeta('command'))
      .optional()
      .describe(
        'program and arguments, run without a shell for each alert, which it gets as JSON on stdin; none: no command',
      ),
    noDataSeconds: amount(0, 86_400, 120, 'alert when the exchange has sent nothing for this long, seconds; 0: never'),
    unhealedMinutes: amount(
      0,
      1440,
      15,
      'alert when an ongoing or recoverable gap is still open after this long, minutes; 0: never',
    ),
    minFreeGiB: amount(0, Infinity, 1, 'alert when less disk is free, GiB; 0: never'),
    syncBehindHours: amount(
      0,
      720,
      6,
      'alert when a file is still not verified at the target after this long, hours; 0: never',
    ),
    clockSeconds: amount(0, 86_400, 1, "alert when the clock differs this much from the exchange's, seconds; 0: never"),
    memoryPercent: amount(0, 100, 90, 'alert when this share of the memory limit is used, percent; 0: never'),
    clearMinutes: amount(0, 1440, 5, 'how long all must be well before the all-clear is sent, minutes'),
    repeatHours: amount(0, 720, 12, 'repeat an alert that still holds after this long, hours; 0: never'),
    perHour: whole(1, 1000, 20, 'most messages per hour to each receiver; others wait'),
  })
  .prefault({})
