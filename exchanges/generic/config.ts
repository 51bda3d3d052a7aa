import { z } from '../../platform/zod.js'
import { COMPRESSIONS } from '../../platform/inflate.js'

/** RFC 6901: '' is the whole frame, `/arg/channel` a member of a member, `/2` the third element of a list. */
const pointer = z.string().regex(/^(\/([^~/]|~[01]){1,64}){0,8}$/, 'a JSON pointer such as /channel or /arg/channel')

const message = z
  .unknown()
  .refine(
    value => (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null),
    'text, or keys or a list to be sent as JSON',
  )

/** Files stay few: each family is a folder and an open segment. */
const FAMILIES_MAX = 32

/** Any WebSocket feed, described by config alone: `adapter: generic`. */
export const genericConfig = z.strictObject({
  adapter: z.literal('generic').describe('generic: any WebSocket feed, described by the keys of this table'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'a name of your own for the feed: a-z, 0-9, - and _, at most 32')
    .describe('your name for the feed, a-z, 0-9, - and _; also the first partition of every path'),
  url: z.url({ protocol: /^wss?$/ }).describe('WebSocket endpoint'),
  send: z
    .array(message)
    .max(1000)
    .default([])
    .describe('messages sent after connecting, in order: text as it is, keys and lists as JSON. Recorded: no secrets'),
  sendGapMs: z.int().min(0).max(60_000).default(250).describe('pause between two of them, ms'),
  decode: z
    .enum(['none', ...COMPRESSIONS])
    .default('none')
    .describe(
      'how binary messages are compressed: gzip, deflate (with a zlib header) or deflate-raw. Raw keeps them unchanged, in base64; channels, answers and tables use the text',
    ),
  channelAt: z
    .array(pointer)
    .min(1)
    .max(8)
    .default(['/channel'])
    .describe('where a frame names its channel: JSON pointers, tried in order; frames without one go to `other`'),
  families: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'a name of a-z, 0-9 and _, at most 32'),
      z.array(z.string().min(1).max(120)).min(1),
    )
    .refine(families => Object.keys(families).length <= FAMILIES_MAX, `at most ${FAMILIES_MAX} families`)
    .default({})
    .describe(
      'which channels are stored together, as `channel=frames.<name>`: lists of patterns with *, the first match counts; all others are in `channel=frames`',
    ),
  pingSeconds: z.number().min(0).max(3600).default(20).describe('how often to send a ping, seconds; 0: never'),
  pingText: message.optional().describe('what to send as a ping: text, keys or a list; none: a WebSocket ping'),
  answers: z
    .array(
      z.strictObject({
        at: pointer.describe('where a frame is looked at'),
        is: z.string().optional().describe('text or number that must stand there; none: anything'),
        send: message.describe('the answer; `{{/pointer}}` in it becomes what the frame has there'),
      }),
    )
    .max(16)
    .default([])
    .describe(
      "answers to the exchange's own pings: `at` (JSON pointer), `is` (text there), `send` (`{{/id}}` is filled in)",
    ),
  silenceSeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('a connection without any frame for this long counts as dead, seconds'),
  redundancy: z.literal([1, 2]).default(1).describe('2: the feed on two connections at once'),
})

export type GenericConfig = z.infer<typeof genericConfig>
