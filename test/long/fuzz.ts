/** 100,000 mutations of captured frames of each exchange that has such a test; `FUZZ_SEED` for one that was seen. */
process.env['FUZZ'] ??= '100000'
await import('../exchanges/bybit/fuzz.test.js')
export {}
