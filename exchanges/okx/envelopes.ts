import type { Envelope } from '../envelope.js'

const NO_TEXT = 'NULL::VARCHAR'
const ARG = 'received.frame.arg'
const ARG_MEMBERS = ['channel', 'instId', 'instFamily', 'instType'] as const
const filledOf = (members: readonly string[]) =>
  members.map(member => `(${ARG}.${member} IS NOT NULL)::INTEGER`).join(' + ')
const ABOUT = `coalesce(nullif(${ARG}.instId, ''), nullif(${ARG}.instFamily, ''), nullif(${ARG}.instType, ''))`

/** `{"arg":{"channel":…},"action":…,"data":[…]}`: `action` is said of books alone. */
export function push({ hasAction = false }: { hasAction?: boolean } = {}): Envelope {
  return {
    at: 'data',
    data: 'received.frame.data',
    isPush: true,
    keyPaths: ['$.frame', '$.frame.arg'],
    members: { arg: Object.fromEntries(ARG_MEMBERS.map(member => [member, 'VARCHAR'])), action: 'VARCHAR' },
    isThere: `json_exists(line, '$.frame.arg') AND NOT json_exists(line, '$.frame.event')`,
    isMissing: `${ARG}.channel IS NULL`,
    missing: 'no arg.channel',
    isRefusal: `(json_exists(line, '$.frame.event') OR json_exists(line, '$.frame.code'))`,
    isOdd: `NOT coalesce(len(keys[1]) = 2 + (received.frame.action IS NOT NULL)::INTEGER
      AND len(keys[2]) = ${filledOf(ARG_MEMBERS)}, false)`,
    without: `{"arg":{${ARG_MEMBERS.map(member => `"${member}":null`).join(',')}},"action":null,"data":null}`,
    channel: `CASE WHEN ${ABOUT} IS NULL THEN ${ARG}.channel ELSE ${ARG}.channel || '.' || ${ABOUT} END`,
    // What a frame of a book does is not among its data.
    asked: hasAction ? 'received.frame.action' : NO_TEXT,
    // Two members of `arg` are usual; others take the long way to the same rows.
    usual: {
      condition: `${ARG}.channel IS NOT NULL AND ${filledOf(ARG_MEMBERS)} = 2
        AND ${hasAction ? 'received.frame.action IS NOT NULL' : 'received.frame.action IS NULL'}`,
      members: hasAction ? 5 : 4,
    },
  }
}

/** `{"code":"0","msg":"","data":[…]}`: an answer over HTTP, which does not say what was asked. */
export const answer: Envelope = {
  at: 'data',
  data: 'received.frame.data',
  keyPaths: ['$.frame'],
  members: { code: 'VARCHAR', msg: 'VARCHAR' },
  isThere: `json_exists(line, '$.frame.code')`,
  isMissing: 'received.frame.code IS NULL',
  missing: 'no code',
  isRefusal: `json_extract_string(line, '$.frame.code') <> '0'`,
  isOdd: `NOT coalesce(len(keys[1]) = 3 AND received.frame.code = '0' AND received.frame.msg = '', false)`,
  without: '{"data":null}',
  channel: NO_TEXT,
  asked: NO_TEXT,
}
