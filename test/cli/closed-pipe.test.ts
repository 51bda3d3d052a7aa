import { execa } from 'execa'
import t from 'tap'
import { cliMain } from '../fixtures/cli.js'

t.jobs = 3

/** Commands that print something on any machine, and the exit code when nobody reads it. */
const COMMANDS: readonly (readonly [args: readonly string[], exitCode: string])[] = [
  [['help'], '0'],
  [['help', 'config'], '0'],
  [['record', '--help'], '0'],
  [['completion', 'bash'], '0'],
  [['catalog', '--help'], '0'],
  [['doctor', '--config', 'none.yaml'], '1'],
  [['verify', 'raw', 'tree'], '0'],
]

for (const [args, expected] of COMMANDS) {
  t.test(`${args.join(' ')}: a reader that has seen enough is no error`, async t => {
    const cwd = t.testdir({ tree: { raw: {} } })
    // The reading end is closed long before the command has started.
    const script = '{ "$@"; echo "code $?" >&2; } | sh -c "exec <&-"'
    const words = ['-c', script, 'sh', process.execPath, cliMain, ...args]
    const { stderr } = await execa('sh', words, { cwd, stdin: 'ignore', stdout: 'ignore', reject: false })
    t.notMatch(stderr, /EPIPE|\bat .*node:/, stderr)
    t.equal(/code (\d+)$/.exec(stderr)?.[1], expected)
  })
}
