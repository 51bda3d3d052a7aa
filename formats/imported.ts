/**
 * Frames that somebody else recorded stand under connections of these names, which no connection of a recorder bears:
 * Tardis' own lines, and lines of any other program.
 */
export const IMPORT_CONNS = ['tardis', 'import'] as const

export type ImportConn = (typeof IMPORT_CONNS)[number]
