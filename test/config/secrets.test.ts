import { join } from 'node:path'
import t from 'tap'
import { deribit } from '../../exchanges/deribit/main.js'
import { credentialsFrom } from '../../config/secrets.js'

t.test('both from the environment', t => {
  const found = credentialsFrom(deribit, { DERIBIT_CLIENT_ID: 'me', DERIBIT_CLIENT_SECRET: 'hush' })
  t.same(found, { clientId: 'me', clientSecret: 'hush' })
  t.end()
})

t.test('the secret from a file, without its line end', t => {
  const folder = t.testdir({ secret: 'hush\n' })
  const found = credentialsFrom(deribit, {
    DERIBIT_CLIENT_ID: 'me',
    DERIBIT_CLIENT_SECRET_FILE: join(folder, 'secret'),
  })
  t.same(found, { clientId: 'me', clientSecret: 'hush' })
  t.end()
})

t.test('none of the two: no credentials', t => {
  t.equal(credentialsFrom(deribit, {}), undefined)
  t.equal(
    credentialsFrom(deribit, { DERIBIT_CLIENT_ID: '', DERIBIT_CLIENT_SECRET: '' }),
    undefined,
    'empty is as good as unset',
  )
  t.end()
})

t.test('one of the two is a mistake that is told', t => {
  t.throws(() => credentialsFrom(deribit, { DERIBIT_CLIENT_ID: 'me' }), {
    code: 'CREDENTIALS_INCOMPLETE',
    message: /DERIBIT_CLIENT_SECRET/,
  })
  t.throws(() => credentialsFrom(deribit, { DERIBIT_CLIENT_SECRET: 'hush' }), {
    code: 'CREDENTIALS_INCOMPLETE',
    message: /DERIBIT_CLIENT_ID/,
  })
  t.end()
})

t.test('a file that cannot be read is named, and its content is not', t => {
  const path = join(t.testdir(), 'nowhere')
  t.throws(() => credentialsFrom(deribit, { DERIBIT_CLIENT_ID: 'me', DERIBIT_CLIENT_SECRET_FILE: path }), {
    code: 'CREDENTIALS_UNREADABLE',
    path,
  })
  t.end()
})
