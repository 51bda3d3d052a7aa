import t from 'tap'
import { AnsweringDisk } from '../../../monitor/observe/answering-disk.js'
import { needs, needsThat } from '../../fixtures/needs.js'
import { canMount, hangingDisk } from '../../fixtures/small-disk.js'

t.setTimeout(60_000)

t.test('serve alone stood still with a disk that hangs, since it waited for it', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
  if (!needs(t, 'bindfs')) return
  const hanging = await hangingDisk(t, t.testdir({}))
  const disk = new AnsweringDisk(hanging.path)
  const stop = new AbortController()
  t.equal(await disk.answers(stop.signal), true)
  hanging.hang()
  t.equal(await disk.answers(stop.signal), false)
  t.equal(await disk.answers(stop.signal), false, 'the first question is still open')
  const open = process.getActiveResourcesInfo().filter(name => name.startsWith('FSReq'))
  t.equal(open.length, 1, 'and the only one')
  const asked = disk.answers(stop.signal)
  stop.abort()
  t.equal(await asked, false, 'an end is not held up')
})

t.test('a folder that is not there is an answer', async t => {
  t.equal(await new AnsweringDisk('/no/where').answers(new AbortController().signal), true)
})
