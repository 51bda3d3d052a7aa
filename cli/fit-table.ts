import { asOneLine } from '../platform/wrapped.js'
import { plainTable } from './table.js'

export interface TableText {
  head: readonly string[]
  rows: readonly (readonly string[])[]
  /** Columns that stand on the right: numbers. */
  numeric: readonly number[]
  /** Heads of columns whose texts are never cut: names. */
  whole?: readonly string[]
  /** Heads of columns that go before anything is cut, the least needed first. */
  spare?: readonly string[]
}

/** Between columns. */
const GAP = 2
/** A column is not cut below this, but left out. */
const NARROWEST = 8
const ELLIPSIS = '…'

/**
 * A table no wider than `width`: spare columns go first, then the widest columns of text are cut; where that is not enough,
 * columns in the middle are left out, and the head says how many. Numbers are never cut.
 */
export function fitTable(table: TableText, width: number): string {
  const { head, rows, numeric, whole = [], spare = [] } = table
  const clean = rows.map(row => row.map(asOneLine))
  const natural = head.map((name, column) =>
    clean.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), name.length),
  )
  const [least, ...others] = spare
  if (least !== undefined && total(natural) > width)
    return fitTable({ ...withoutColumn(table, head.indexOf(least)), spare: others }, width)
  const uncut = new Set([...numeric, ...whole.map(name => head.indexOf(name))])
  const kept = keptColumns(natural, uncut, width)
  const room = width - (kept.length < head.length ? middleHead(head.length - kept.length).length + GAP : 0)
  const widths = cutWidths(kept, natural, uncut, room)
  const cut = (cells: readonly string[]) =>
    kept.map((column, place) => shortened(cells[column] ?? '', widths[place] ?? 0))
  const left = head.length - kept.length
  const middle = Math.ceil(kept.length / 2)
  const withMiddle = (cells: string[], text: string) =>
    left === 0 ? cells : [...cells.slice(0, middle), text, ...cells.slice(middle)]
  const right = kept.flatMap((column, place) =>
    numeric.includes(column) ? [left > 0 && place >= middle ? place + 1 : place] : [],
  )
  return plainTable(
    withMiddle(cut(head), middleHead(left)),
    clean.map(row => withMiddle(cut(row), ELLIPSIS)),
    right,
  )
}

function withoutColumn({ head, rows, numeric, ...more }: TableText, column: number): TableText {
  const others = <T>(list: readonly T[]) => list.filter((_, place) => place !== column)
  const moved = numeric.flatMap(place => (place === column ? [] : [place > column ? place - 1 : place]))
  return { ...more, head: others(head), rows: rows.map(others), numeric: moved }
}

const middleHead = (left: number) => `${ELLIPSIS} ${left} more`

const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + GAP, -GAP)

/** Never in the middle of a sign of two. */
const shortened = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1)).replace(/[\uD800-\uDBFF]$/, '')}${ELLIPSIS}`

/** The columns that fit, each at its narrowest; from the outside to the middle. */
function keptColumns(natural: readonly number[], uncut: ReadonlySet<number>, width: number): number[] {
  const all = natural.map((_, column) => column)
  const least = (column: number) =>
    uncut.has(column) ? (natural[column] ?? 0) : Math.min(NARROWEST, natural[column] ?? 0)
  if (total(all.map(least)) <= width) return all
  const kept: number[] = []
  const outside = all.map(place => (place % 2 === 0 ? place / 2 : natural.length - (place + 1) / 2))
  let room = width - middleHead(natural.length).length - GAP
  for (const column of outside) {
    room -= least(column) + GAP
    if (room < 0 && kept.length > 0) break
    kept.push(column)
  }
  return kept.sort((a, b) => a - b)
}

/** Takes from the widest of the columns that may be cut until all fit. */
function cutWidths(
  kept: readonly number[],
  natural: readonly number[],
  uncut: ReadonlySet<number>,
  width: number,
): number[] {
  const widths = kept.map(column => natural[column] ?? 0)
  while (total(widths) > width) {
    const texts = widths.map((own, place) => (uncut.has(kept[place] ?? -1) || own <= NARROWEST ? 0 : own))
    const widest = texts.indexOf(Math.max(...texts))
    if (widest < 0 || texts[widest] === 0) break
    const others = texts.filter((_, place) => place !== widest)
    const next = Math.max(NARROWEST, ...others)
    const over = total(widths) - width
    widths[widest] = Math.max(
      NARROWEST,
      (texts[widest] ?? 0) - Math.max(1, Math.min(over, (texts[widest] ?? 0) - next)),
    )
  }
  return widths
}
