import t from 'tap'
import { EdgeError, isMachineError } from '../../platform/edge-error.js'

const errno = (code: string) => Object.assign(new Error(`${code}: it was so`), { code })

t.test('errors of the machine say nothing about the file that was read', t => {
  for (const code of ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM', 'EDQUOT', 'ESTALE', 'Unknown system error -122'])
    t.ok(isMachineError(errno(code)), code)
  for (const words of [
    'IO Error: Could not write file "/tmp/x": No space left on device',
    'IO Error: Cannot open file "/data/parquet/x.parquet": Too many open files',
    'Out of Memory Error: failed to allocate data of size 32 KiB',
  ])
    t.ok(isMachineError(new Error(words)), words)
  t.ok(isMachineError(new EdgeError('X', 'something failed', { cause: errno('ENOSPC') })), 'as a cause')
  t.end()
})

t.test('what is wrong with a file is no error of the machine', t => {
  t.notOk(isMachineError(errno('ENOENT')))
  t.notOk(isMachineError(new SyntaxError('Unexpected token')))
  for (const words of [
    "Invalid Input Error: No magic bytes found at end of file 'x.parquet'",
    'IO Error: Could not read enough bytes from file',
    'TProtocolException: Invalid data',
  ])
    t.notOk(isMachineError(new Error(words)), words)
  t.end()
})
