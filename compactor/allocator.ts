/**
 * To be imported before DuckDB is, which reads this when it is loaded. Its allocator (jemalloc) keeps freed memory by
 * arena, several for each core; one thread at work needs one. Measured on a segment of 2 GB with 256 MiB: 490 MB resident
 * without, 340 MB with it, and a fifth faster.
 */
process.env['DUCKDB_JE_MALLOC_CONF'] ??= 'narenas:1'
