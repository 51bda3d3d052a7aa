import type { DuckDBConnection } from '@duckdb/node-api'
import { duckdb } from '../../platform/duckdb.js'
import { messageOf } from '../../platform/edge-error.js'
import { columnName, type ColumnType, type LinePlan } from './line-plan.js'
import { openLineRows, type LineRows } from './line-rows.js'

/** The table function `line_rows(plan)`: rows of the segment that was opened last. */
export interface LineRowsFunction extends Pick<LineRows, 'left'> {
  /** The function's call for a plan, in SQL. */
  callOf(plan: LinePlan): string
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
 * @throws Error where there is no WebAssembly that can do so
 */
export function registerLineRows(connection: DuckDBConnection): LineRowsFunction {
  const rows = openLineRows()
  const plans: LinePlan[] = []
  const { DuckDBTableFunction, INTEGER } = duckdb()
  const types = typesOf()
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: 'line_rows',
      parameterTypes: [INTEGER],
      supportsProjectionPushdown: true,
      bindFunction: info => {
        for (const [number, { type }] of (plans[Number(info.getParameter(0))]?.columns ?? []).entries())
          info.addResultColumn(columnName(number), types[type])
      },
      initFunction: info => {
        info.setMaxThreads(1)
        info.setInitData({ wanted: info.getColumnIndexes() })
      },
      mainFunction: (info, { chunk }) => {
        try {
          rows.fill(chunk, (info.initData as { wanted: number[] }).wanted)
        } catch (error) {
          info.setError(messageOf(error))
        }
      },
    }),
  )
  return {
    callOf: plan => `line_rows(${plans.includes(plan) ? plans.indexOf(plan) : plans.push(plan) - 1})`,
    open: (plan, path, frames, left) => rows.open(plan, path, frames, left),
    left: () => rows.left(),
  }
}
