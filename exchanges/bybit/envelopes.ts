import type { Envelope } from '../envelope.js'
import { SPOT } from './families.js'

const NO_TEXT = 'NULL::VARCHAR'
const TOPIC = 'received.frame.topic'

/** `{"topic":…,"type":…,"ts":…,"data":…}`, with `cts` where it is of a book, `cs` of a ticker, and `id` of an option. */
export const push: Envelope = {
  at: 'data',
  data: 'received.frame.data',
  isPush: true,
  keyPaths: ['$.frame'],
  members: { topic: 'VARCHAR', type: 'VARCHAR', ts: 'DOUBLE', cts: 'DOUBLE', cs: 'BIGINT', id: 'VARCHAR' },
  isMissing: `${TOPIC} IS NULL`,
  missing: 'no topic',
  isRefusal: 'false',
  isOdd: `NOT list_has_all(['topic', 'type', 'ts', 'cts', 'cs', 'id', 'data'], keys[1])`,
  // The id is topic, number and time once more.
  without: '{"topic":null,"type":null,"ts":null,"cts":null,"cs":null,"id":null,"data":null}',
  fields: `struct_pack("type" := received.frame."type", ts := received.frame.ts, cts := received.frame.cts,
    cs := received.frame.cs)`,
  channel: `CASE WHEN ends_with(own_family(), '${SPOT}') THEN 'spot.' || ${TOPIC} ELSE ${TOPIC} END`,
  asked: NO_TEXT,
}

/** The usual form of a table's frames: how many members they have besides the data, and which. */
export function usually(members: number, condition: string): Envelope {
  return {
    ...push,
    usual: { members, condition: `${TOPIC} IS NOT NULL AND received.frame.ts IS NOT NULL AND ${condition}` },
  }
}

/** The same for rows whose side is called `S` and whose symbol `s`: SQL does not distinguish capitals. */
export const withSides = (envelope: Envelope): Envelope => ({ ...envelope, respelled: { side: 'S' } })

/** The same of what is agreed on by RFQ, which names its time otherwise. */
export const rfqPush: Envelope = {
  ...push,
  members: { topic: 'VARCHAR', creationTime: 'DOUBLE', id: 'VARCHAR' },
  isOdd: `NOT list_has_all(['topic', 'creationTime', 'id', 'data'], keys[1])`,
  without: '{"topic":null,"creationTime":null,"id":null,"data":null}',
  fields: 'struct_pack(creationTime := received.frame.creationTime)',
}

/** An answer over HTTP: `{"retCode":0,"retMsg":…,"result":{"category":…,"list":[…]},"retExtInfo":{},"time":…}` */
export const answer: Envelope = {
  at: 'result.list',
  data: 'received.frame.result.list',
  keyPaths: ['$.frame', '$.frame.result'],
  members: {
    retCode: 'BIGINT',
    retMsg: 'VARCHAR',
    time: 'DOUBLE',
    result: { category: 'VARCHAR', symbol: 'VARCHAR', nextPageCursor: 'VARCHAR', updatedTime: 'VARCHAR' },
  },
  isMissing: 'received.frame.retCode IS NULL',
  missing: 'no retCode',
  isRefusal: 'coalesce(received.frame.retCode <> 0, false)',
  isOdd: `NOT (list_has_all(['retCode', 'retMsg', 'result', 'retExtInfo', 'time'], keys[1])
    AND list_has_all(['category', 'symbol', 'list', 'nextPageCursor', 'updatedTime'], keys[2]))`,
  without:
    '{"retCode":null,"retMsg":null,"retExtInfo":null,"time":null,"result":{"category":null,"symbol":null,"list":null,"nextPageCursor":null,"updatedTime":null}}',
  fields: `struct_pack(category := received.frame.result.category, symbol := received.frame.result.symbol,
    "time" := received.frame."time", updated := received.frame.result.updatedTime)`,
  channel: NO_TEXT,
  asked: NO_TEXT,
}

/** What an answer says of itself as a frame does. */
export const timedAnswer: Envelope = { ...answer, fields: 'struct_pack(ts := received.frame."time")' }

/** An answer whose rows are lists: what they are of stands beside them. */
export const wholeAnswer: Envelope = {
  ...answer,
  at: 'result',
  data: 'received.frame.result',
  keyPaths: ['$.frame'],
  members: { retCode: 'BIGINT', retMsg: 'VARCHAR', time: 'DOUBLE' },
  isOdd: `NOT list_has_all(['retCode', 'retMsg', 'result', 'retExtInfo', 'time'], keys[1])`,
  without: '{"retCode":null,"retMsg":null,"retExtInfo":null,"time":null,"result":null}',
  fields: 'NULL',
}

/** An answer that is a book: its symbol is all that says which, and its times stand among the data. */
export const bookAnswer: Envelope = {
  ...wholeAnswer,
  channel: `CASE WHEN ends_with(own_family(), '${SPOT}') THEN 'spot.' ELSE '' END
    || 'orderbook.full.' || received.frame.result.s`,
}
