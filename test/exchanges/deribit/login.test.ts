import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { createLogger } from '../../../platform/log.js'
import { Login } from '../../../exchanges/deribit/login.js'
import { RefusedError } from '../../../exchanges/deribit/rpc.js'
import { until } from '../../fixtures/recorder-process.js'
import { matchAll } from '../../fixtures/match-all.js'

/** A login over calls that are answered by the test; tokens live for a tenth of a second. */
function scene(answer: (nth: number) => unknown) {
  const grants: string[] = []
  const said: string[] = []
  const rpc = {
    call(_method: string, params: Record<string, unknown>) {
      grants.push([params['grant_type'], params['refresh_token']].filter(Boolean).join(' '))
      const given = answer(grants.length)
      return given instanceof Error ? Promise.reject(given) : Promise.resolve(given)
    },
  }
  const link = {
    conn: 'd1',
    fail: (cause: string) => said.push(`fail: ${cause}`),
    journal: (event: string) => said.push(event),
  }
  const login = new Login({
    ...{ rpc: rpc as never, link: link as never, log: createLogger('test', 'silent') },
    ...{ credentials: { clientId: 'id', clientSecret: 'secret' }, method: 'credentials' },
  })
  return { grants, said, login }
}

const token = (nth: number) => ({ access_token: 'a', refresh_token: `r${nth}`, expires_in: 0.1 })
const refused = (code: number) => new RefusedError('public/auth', { code, message: 'no' })

t.test('a login is renewed before it ends, each time with the last token', async t => {
  const { grants, said, login } = scene(token)
  await login.start()
  await until('two renewals', () => grants.length >= 3)
  login.close()
  const count = grants.length
  t.same(grants.slice(0, 3), ['client_credentials', 'refresh_token r1', 'refresh_token r2'])
  await delay(250)
  t.equal(grants.length, count, 'and not after the end')
  t.same(said, [])
})

t.test('a refresh token that is refused leads to a login; a login that fails ends the connection', async t => {
  const { grants, said, login } = scene(nth => (nth === 2 ? refused(13009) : nth < 4 ? token(nth) : refused(10028)))
  t.teardown(() => login.close())
  await login.start()
  await until('it gave up', () => said.length > 0)
  t.same(grants, [
    'client_credentials',
    'refresh_token r1',
    'client_credentials',
    'refresh_token r3',
    'client_credentials',
  ])
  matchAll(t, said, [/^fail: login could not be renewed/])
})

t.test('an end while a renewal is under way is the end', async t => {
  let give: (answer: unknown) => void = () => undefined
  const { grants, login } = scene(nth => (nth === 1 ? token(1) : new Promise(resolve => (give = resolve))))
  await login.start()
  await until('a renewal is under way', () => grants.length === 2)
  login.close()
  give(token(2))
  await delay(250)
  t.equal(grants.length, 2)
})

t.test('wrong credentials are told, and do not end the connection', async t => {
  const { said, login } = scene(() => refused(13004))
  await login.start()
  t.same(said, ['login_refused'])
})
