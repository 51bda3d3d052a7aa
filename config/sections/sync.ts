import { z } from '../../platform/zod.js'
import { pathMeta } from '../paths.js'
import { targetComplaint } from '../target-address.js'
import { amount, complainsBy, path, whole } from '../values.js'

/** A daily span: hour and minute of its begin and of its end. */
export const dailyWindowPattern = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

export const sync = z
  .strictObject({
    target: z
      .string()
      .superRefine(complainsBy(targetComplaint))
      .meta(pathMeta('target'))
      .optional()
      .describe(
        'a folder (/path, ./path or ~/path), user@host:/path (rsync over ssh), rsync://host/module/path or rclone:remote:path; none: nothing is uploaded',
      ),
    everyMinutes: amount(0, 1440, 5, 'time between passes, minutes; 0: as soon as a file is final'),
    window: z
      .string()
      .regex(dailyWindowPattern, 'two times of the day in UTC, such as 22:00-06:30')
      .optional()
      .describe('daily time span for uploads, UTC, such as 22:00-06:30; none, or from a time to itself: always'),
    bandwidthKiBps: whole(0, Infinity, 0, 'upload limit, KiB/s; 0: none'),
    timeoutSeconds: whole(
      2,
      3600,
      60,
      'a transfer is aborted and retried after this much silence of the target, seconds',
    ),
    graceMinutes: amount(0, 1440, 15, 'time between uploading a file and trusting its checksum at the target, minutes'),
    superseded: z
      .enum(['keep', 'list'])
      .default('keep')
      .describe(
        'how past days lie at a target over rsync, where nothing is ever deleted. keep: hourly files stay, no daily file is made; list: the daily file is uploaded, too, and superseded/ lists the hourly files that readers must ignore',
      ),
    sshKey: path.optional().describe("private key for user@host:/path; none: ssh's default keys"),
    sshPort: z.int().min(1).max(65_535).optional().describe("port of sshd for user@host:/path; none: ssh's default"),
    knownHosts: path
      .optional()
      .describe("known_hosts file with the target's host key; none: ssh's default. Unknown keys are always refused"),
    passwordFile: path
      .optional()
      .describe('file with the password for rsync://user@host/module, readable by its owner only'),
  })
  .prefault({})
