import Table from 'cli-table3'

/** Rows as a table for a terminal: no lines but the one under the head. */
export function plainTable(head: string[], rows: string[][], alignRight: number[] = []): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' }
  const sides = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', right: '', 'right-mid': '' }
  const table = new Table({
    head,
    chars: { ...none, ...sides, mid: '', 'mid-mid': '', middle: '  ' },
    colAligns: head.map((_, column) => (alignRight.includes(column) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  })
  table.push(...rows)
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

/** Every line moved to the right by two. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
