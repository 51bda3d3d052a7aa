/** What the benchmark uses of a package that has no types of its own. */
declare module 'parquetjs-lite' {
  /** Opaque. */
  interface ParquetSchema {
    fields: Record<string, unknown>
  }
  interface ParquetWriter {
    setRowGroupSize(rows: number): void
    appendRow(row: Record<string, unknown>): Promise<void>
    close(): Promise<void>
  }
  const parquet: {
    ParquetSchema: new (fields: Record<string, unknown>) => ParquetSchema
    ParquetWriter: { openFile(schema: ParquetSchema, path: string): Promise<ParquetWriter> }
  }
  export default parquet
}
