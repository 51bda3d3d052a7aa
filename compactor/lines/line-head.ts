import { IMPORT_CONNS } from '../../formats/imported.js'
import { sqlText } from '../../platform/duckdb.js'
import type { ObjectShape } from './shape.js'

/** What stands before the frame in a line. */
export const LINE_HEAD: ObjectShape = { recv_us: 'BIGINT', conn: 'VARCHAR', seq: 'BIGINT' }

const RECEIVED_US = 'received.recv_us BETWEEN 0 AND 9007199254740991'

/** Condition for a head that is whole, with a receive time that can be one; NULL or false where it is not. */
export const HAS_HEAD = `${RECEIVED_US} AND received.conn IS NOT NULL AND received.seq IS NOT NULL`

/** Head fields of `frame_items`, from `line` and `received`. */
export const HEAD = `line, make_timestamptz(CASE WHEN ${RECEIVED_US} THEN received.recv_us END) AS recv_ts,
  received.conn AS conn, received.seq AS seq, CASE WHEN received.conn = 'backfill' THEN 'backfill'
    WHEN received.conn IN (${IMPORT_CONNS.map(sqlText).join(', ')}) THEN 'import' ELSE 'live' END AS source`
