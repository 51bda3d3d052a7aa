/** What rows of a book can be written as; Parquet only to a file. */
export const FORMATS = ['table', 'csv', 'json', 'parquet'] as const
export type Format = (typeof FORMATS)[number]
