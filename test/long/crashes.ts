/** Recorder, compactor and syncer cut off before each of their steps, in every way: all of the crash tables. */
process.env['EDGETAPE_CRASH_EVERY'] ??= '1'
process.env['EDGETAPE_TAKE_UP_EVERY'] ??= '20'
await import('../recorder/crash-table.test.js')
await import('../compactor/crash-table.test.js')
await import('../syncer/crash-table.test.js')
