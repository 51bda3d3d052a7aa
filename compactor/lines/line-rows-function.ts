import type { DuckDBConnection } from '@duckdb/node-api'
import { duckdb } from '../../platform/duckdb.js'
import { messageOf } from '../../platform/edge-error.js'
import { columnName, type ColumnType, type LinePlan } from './line-plan.js'
import type { Stretch } from '../files/stretches.js'
import { openLineRows, type LineRows, type RowScan } from './line-rows.js'

/** The table function `line_rows(plan)`: rows of the segment that was opened last. */
export interface LineRowsFunction extends Pick<LineRows, 'left' | 'keep' | 'forget'> {
  /**
   * The function's call for a plan, in SQL.
   * @param stretches of kept rows, where not all of them are wanted
   */
  callOf(plan: LinePlan, stretches?: readonly Stretch[]): string
  open: LineRows['open']
}

function typesOf() {
  const { BIGINT, BOOLEAN, DOUBLE, LIST, VARCHAR } = duckdb()
  return {
    ...{ BIGINT, BOOLEAN, DOUBLE, VARCHAR },
    'VARCHAR[]': LIST(VARCHAR),
    'VARCHAR[][]': LIST(LIST(VARCHAR)),
  } satisfies Record<ColumnType, unknown>
}

/**
 * Makes the function known to a connection.
 * @param mostBytes that rows may take which are kept
 * @throws Error where there is no WebAssembly that can do so
 */
export function registerLineRows(connection: DuckDBConnection, mostBytes: number): LineRowsFunction {
  const rows = openLineRows(mostBytes)
  const plans: LinePlan[] = []
  const stretchesOf: (readonly Stretch[] | undefined)[] = [undefined]
  const { DuckDBTableFunction, INTEGER } = duckdb()
  const types = typesOf()
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: 'line_rows',
      parameterTypes: [INTEGER, INTEGER],
      supportsProjectionPushdown: true,
      bindFunction: info => {
        for (const [number, { type }] of (plans[Number(info.getParameter(0))]?.columns ?? []).entries())
          info.addResultColumn(columnName(number), types[type])
        // Else DuckDB takes it for the smaller side of a join, which it keeps in memory.
        const count = rows.keptCount()
        if (count !== undefined) info.setCardinality(count, false)
        info.setBindData({ stretches: stretchesOf[Number(info.getParameter(1))] })
      },
      initFunction: info => {
        info.setMaxThreads(1)
        const { stretches } = info.getBindData() as { stretches: readonly Stretch[] | undefined }
        try {
          info.setInitData(rows.scan(info.getColumnIndexes(), stretches))
        } catch (error) {
          info.setError(messageOf(error))
        }
      },
      mainFunction: (info, { chunk }) => {
        try {
          rows.fill(chunk, info.initData as RowScan)
        } catch (error) {
          info.setError(messageOf(error))
        }
      },
    }),
  )
  return {
    callOf: (plan, stretches) => `line_rows(${numberIn(plans, plan)}, ${numberIn(stretchesOf, stretches)})`,
    open: (plan, path, frames, left) => rows.open(plan, path, frames, left),
    keep: () => rows.keep(),
    forget: () => rows.forget(),
    left: () => rows.left(),
  }
}

/** Where something stands in a list, to which it is added where it is not there. */
const numberIn = <Item>(list: Item[], item: Item) => (list.includes(item) ? list.indexOf(item) : list.push(item) - 1)
