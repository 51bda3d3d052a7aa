import t from 'tap'
import { withEnvironment } from './fixtures/environment.js'

const NAME = 'EDGETAPE_TEST_OF_THE_ENVIRONMENT'

/** Notes what is to be done at its end. */
function ending() {
  const ends: (() => unknown)[] = []
  return { teardown: (end: () => unknown) => void ends.push(end), end: () => ends.forEach(end => end()) }
}

t.test('what was not set is not set behind the last test that sets it', async t => {
  const [one, other] = [ending(), ending()]
  withEnvironment(one, { [NAME]: 'a' })
  withEnvironment(other, { [NAME]: 'a' })
  one.end()
  t.equal(process.env[NAME], 'a', 'another still needs it')
  other.end()
  t.notOk(NAME in process.env)
})

t.test('what was set before is what it was', async t => {
  const [around, within, alone] = [ending(), ending(), ending()]
  withEnvironment(around, { [NAME]: 'before' })
  withEnvironment(within, { [NAME]: 'meanwhile' })
  t.equal(process.env[NAME], 'meanwhile')
  within.end()
  t.equal(process.env[NAME], 'before')
  around.end()
  const path = process.env['PATH']
  withEnvironment(alone, { PATH: '/nowhere' })
  alone.end()
  t.equal(process.env['PATH'], path)
})
