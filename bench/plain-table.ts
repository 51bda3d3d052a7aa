import Table from 'cli-table3'

/** A table of figures without codes of colours: results go into files and pipes. */
export const plainTable = (head: string[]) => new Table({ head, style: { head: [], border: [] } })
