/** What the benchmark uses of a package that has no types of its own. */
declare module 'parquetjs-lite' {
  class ParquetSchema {
    constructor(fields: Record<string, unknown>)
  }
  class ParquetWriter {
    static openFile(schema: ParquetSchema, path: string): Promise<ParquetWriter>
    setRowGroupSize(rows: number): void
    appendRow(row: Record<string, unknown>): Promise<void>
    close(): Promise<void>
  }
  const parquet: { ParquetSchema: typeof ParquetSchema; ParquetWriter: typeof ParquetWriter }
  export default parquet
}
