import type { Envelope } from '../envelope.js'

const NO_TEXT = 'NULL::VARCHAR'
const IS_ERROR = `json_exists(line, '$.frame.error')`

/** `{"jsonrpc":"2.0","method":"subscription","params":{"channel":…,"data":…}}` */
export const notification: Envelope = {
  at: 'params.data',
  data: 'received.frame.params.data',
  isPush: true,
  keyPaths: ['$.frame', '$.frame.params'],
  members: { jsonrpc: 'VARCHAR', method: 'VARCHAR', params: { channel: 'VARCHAR' } },
  isMissing: 'received.frame.params.channel IS NULL',
  missing: 'no params.channel',
  isRefusal: IS_ERROR,
  isOdd: `NOT coalesce(received.frame.jsonrpc = '2.0' AND received.frame.method = 'subscription'
      AND len(keys[1]) = 3 AND len(keys[2]) = 2, false)`,
  without: '{"params":{"channel":null,"data":null}}',
  channel: 'received.frame.params.channel',
  asked: NO_TEXT,
  usual: {
    condition: `received.frame.jsonrpc = '2.0' AND received.frame.method = 'subscription'
    AND received.frame.params.channel IS NOT NULL`,
    members: 5,
  },
}

/**
 * `{"jsonrpc":"2.0","id":…,"result":…,"usIn":…}`; its times and what it answers are kept beside the first row.
 * @param at `result`, or a member of it
 */
export function answer(at: string): Envelope {
  const members = at.split('.')
  return {
    at,
    data: `received.frame.${at}`,
    keyPaths: [],
    members: { id: 'VARCHAR' },
    isThere: `json_exists(line, '$.frame.result')`,
    isMissing: `NOT coalesce(json_exists(line, '$.frame.result'), false)`,
    missing: 'no result',
    isRefusal: IS_ERROR,
    isOdd: 'true',
    without: members.reduceRight((inner, member) => `{"${member}":${inner}}`, 'null'),
    channel: NO_TEXT,
    asked: 'received.frame.id',
  }
}
