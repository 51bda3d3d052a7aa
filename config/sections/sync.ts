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
        'a folder (/path, ./path or ~/path), user@host:/path (rsync over ssh), rsync://host/module/path or rclone:remote:path; none: nothing is shipped',
      ),
    everyMinutes: amount(0, 1440, 5, 'time between passes, minutes; 0: as soon as a file is final'),
    window: z
      .string()
      .regex(dailyWindowPattern, 'two times of the day in UTC, such as 22:00-06:30')
      .optional()
      .describe('daily span in which files are uploaded, UTC, such as 22:00-06:30; none: always'),
    bandwidthKiBps: whole(0, Infinity, 0, 'upload limit, KiB/s; 0: none'),
    timeoutSeconds: whole(
      2,
      3600,
      60,
      'silence of the target after which a transfer is given up and tried again, seconds',
    ),
    graceMinutes: amount(0, 1440, 15, 'time between shipping a file and trusting its checksum on the target, minutes'),
    superseded: z
      .enum(['keep', 'list'])
      .default('keep')
      .describe(
        "days at a target that rsync brings files to, where none is ever deleted; keep: its files stay by the hour, no day's file is made; list: a day's file is brought, and superseded/ lists the hours that readers must leave out",
      ),
    sshKey: path.optional().describe('private key for user@host:/path; none: those that ssh finds itself'),
    sshPort: z.int().min(1).max(65_535).optional().describe('port of sshd for user@host:/path; none: as ssh decides'),
    knownHosts: path
      .optional()
      .describe("file with the target's host key; none: as ssh decides. Unknown keys are always refused"),
    passwordFile: path
      .optional()
      .describe('file with the password for rsync://user@host/module, readable by its owner only'),
  })
  .prefault({})
