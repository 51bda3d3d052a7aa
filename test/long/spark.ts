/** What other readers make of the tables, with Spark as a cluster of two workers. */
process.env['EDGETAPE_SPARK'] = 'cluster'
await import('../compactor/other-readers.test.js')
