/** 50 random kills of a compactor over a backlog, and the rest of its crash tests. */
process.env['EDGETAPE_KILLS'] ??= '50'
await import('../compactor/crash.test.js')
