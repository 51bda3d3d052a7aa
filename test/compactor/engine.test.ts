import t from 'tap'
import { withEngine } from '../../compactor/engine.js'

const limits = { memoryMiB: 128, threads: 1, spillFolder: t.testdir({}) }

t.test('aborted before it began, a conversion was made all the same', async t => {
  let began = false
  const call = withEngine(limits, () => Promise.resolve((began = true)), AbortSignal.abort(new Error('asked to stop')))
  await t.rejects(call, /asked to stop/)
  t.equal(began, false)
})

t.test('aborted between two statements, the next ones ran to their end', async t => {
  const stop = new AbortController()
  const done: string[] = []
  const call = withEngine(
    limits,
    async engine => {
      done.push(String((await engine.rows('SELECT 1'))[0]))
      stop.abort(new Error('asked to stop'))
      await engine.run('SELECT count(*) FROM range(10)')
      done.push('second')
    },
    stop.signal,
  )
  await t.rejects(call, /asked to stop/)
  t.same(done, ['1'])
})
