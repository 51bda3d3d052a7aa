import type { Shape } from './shape.js'

/** What stands around the data of a frame, in SQL on a parsed line (`received`, `keys`). */
export interface Envelope {
  /** Where the data are, below the frame: `params.data`. */
  at: string
  /** The same as an expression. */
  data: string
  /** Objects whose keys are to be known. */
  keyPaths: readonly string[]
  /** Members besides the data, to be parsed. */
  members: Readonly<Record<string, Shape>>
  /** Condition, and reason, for a frame that is not of this kind. */
  isMissing: string
  missing: string
  /** Condition for an envelope that says more than that it is one. */
  isOdd: string
  /** Merge patch that leaves only what is said besides the data. */
  without: string
  channel: string
  asked: string
}

const NO_TEXT = 'NULL::VARCHAR'

/** `{"jsonrpc":"2.0","method":"subscription","params":{"channel":…,"data":…}}` */
export const notification: Envelope = {
  at: 'params.data',
  data: 'received.frame.params.data',
  keyPaths: ['$.frame', '$.frame.params'],
  members: { jsonrpc: 'VARCHAR', method: 'VARCHAR', params: { channel: 'VARCHAR' } },
  isMissing: 'received.frame.params.channel IS NULL',
  missing: 'no params.channel',
  isOdd: `NOT coalesce(received.frame.jsonrpc = '2.0' AND received.frame.method = 'subscription'
      AND len(keys[1]) = 3 AND len(keys[2]) = 2, false)`,
  without: '{"params":{"channel":null,"data":null}}',
  channel: 'received.frame.params.channel',
  asked: NO_TEXT,
}

/** `{"jsonrpc":"2.0","id":…,"result":…,"usIn":…}`; its times and what it answers are kept beside the first row. */
export function answer(at: string): Envelope {
  const members = at.split('.')
  return {
    at,
    data: `received.frame.${at}`,
    keyPaths: [],
    members: { id: 'VARCHAR' },
    isMissing: `NOT coalesce(json_exists(line, '$.frame.result'), false)`,
    missing: 'no result',
    isOdd: 'true',
    without: members.reduceRight((inner, member) => `{"${member}":${inner}}`, 'null'),
    channel: NO_TEXT,
    asked: 'received.frame.id',
  }
}

/** Condition for a notification of the usual form, and how many members it and its `params` have. */
export const usualNotification = {
  isUsual: `received.frame.jsonrpc = '2.0' AND received.frame.method = 'subscription'
    AND received.frame.params.channel IS NOT NULL`,
  members: 5,
}

/** The shape of a whole frame whose data have this shape. */
export function nestedShape({ at, members }: Envelope, data: Shape): Shape {
  const [outer = '', inner] = at.split('.')
  if (inner === undefined) return { ...members, [outer]: data }
  return { ...members, [outer]: Object.assign({}, members[outer], { [inner]: data }) as Shape }
}
