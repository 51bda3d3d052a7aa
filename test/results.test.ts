import t from 'tap'
import { countResults, summaryOf } from './results.js'
import { matchAll } from './fixtures/match-all.js'

const tap = (...lines: string[]) => ['TAP version 14', ...lines, ''].join('\n')

const streams = [
  {
    name: 'closing lines of subtests count once, with their assertions',
    tap: tap(
      '# Subtest: a.test.js',
      '    # Subtest: inner',
      '        ok 1 - one',
      '        ok 2 - two',
      '        1..2',
      '    ok 1 - inner',
      '    ok 2 - three',
      '    1..2',
      'ok 1 - a.test.js',
      '1..1',
    ),
    wanted: { passed: 3, failures: [], skipped: [] },
  },
  {
    name: 'a failed assertion is one failure, not one per level',
    tap: tap(
      '# Subtest: a.test.js',
      '    ok 1 - one',
      '    not ok 2 - two',
      '    1..2',
      'not ok 1 - a.test.js',
      '1..1',
    ),
    wanted: { passed: 1, failures: [{ name: /./ }], skipped: [] },
  },
  {
    name: 'a file that crashes after passing fails',
    tap: tap('# Subtest: a.test.js', '    ok 1 - one', '    1..1', 'not ok 1 - a.test.js', '1..1'),
    wanted: { passed: 1, failures: [{ name: /./ }], skipped: [] },
  },
  {
    name: 'a plan that was not met fails',
    tap: tap('ok 1 - one', '1..2'),
    wanted: { passed: 1, failures: [{ name: /./ }], skipped: [] },
  },
  {
    name: 'a subtest in which nothing was asserted fails, one whose subtest asserted does not',
    tap: tap(
      '# Subtest: a.test.js',
      '    # Subtest: inner',
      '        1..0',
      '    ok 1 - inner',
      '    1..1',
      'ok 1 - a.test.js',
      '# Subtest: b.test.js',
      '    # Subtest: inner',
      '        ok 1 - one',
      '        1..1',
      '    ok 1 - inner',
      '    1..1',
      'ok 2 - b.test.js',
      '1..2',
    ),
    wanted: {
      passed: 1,
      failures: [{ name: 'a.test.js > inner', diagnostic: 'nothing was asserted' }],
      skipped: [],
    },
  },
  {
    name: 'the closing line of a subtest whose name is escaped is no result',
    tap: tap('# Subtest: a \\#1', '    ok 1 - one', '    1..1', 'ok 1 - a \\#1', '1..1'),
    wanted: { passed: 1, failures: [], skipped: [] },
  },
  {
    name: 'a torn stream fails',
    tap: tap('# Subtest: a.test.js', '    ok 1 - one'),
    wanted: { passed: 1, failures: [{ name: /./ }], skipped: [] },
  },
  {
    name: 'skips of assertions, subtests and whole files are no passes',
    tap: tap(
      '# Subtest: a.test.js',
      '    ok 1 - one # SKIP needs rsync: apt-get install rsync',
      '    ok 2 - two',
      '    1..2',
      'ok 1 - a.test.js',
      '# Subtest: b.test.js',
      '    1..0 # no root',
      'ok 2 - b.test.js # SKIP no root',
      '1..2',
    ),
    wanted: {
      passed: 1,
      failures: [],
      skipped: [
        { name: 'a.test.js > one', reason: 'needs rsync: apt-get install rsync' },
        { name: 'b.test.js', reason: 'no root' },
      ],
    },
  },
]

for (const { name, tap: stream, wanted } of streams) {
  t.test(name, t => {
    const results = countResults(stream)
    matchAll(t, results, wanted)
    t.end()
  })
}

t.test('a file that skips itself is a skip', t => {
  matchAll(t, countResults(tap('1..0 # no root')), {
    passed: 0,
    failures: [],
    skipped: [{ name: '', reason: 'no root' }],
  })
  t.end()
})

t.test('a process that ended badly fails, and a failure says why', t => {
  t.same(countResults(tap('ok 1 - one', '1..1'), 'ended with SIGSEGV').failures, [{ name: 'ended with SIGSEGV' }])
  const failed = tap('not ok 1 - one', '  ---', '  found: 1', '  wanted: 2', '  ...', '1..1')
  t.same(countResults(failed, 'ended with 1').failures, [{ name: 'one', diagnostic: { found: 1, wanted: 2 } }])
  t.end()
})

t.test('the summary names what failed, every skip by its reason, and ends with the counts', t => {
  const skipped = [
    { name: 'b.test.js', reason: 'no root' },
    { name: 'c.test.js > mounts > no root', reason: 'no root' },
  ]
  const text = summaryOf({ passed: 4, failures: [{ name: 'a' }], skipped })
  t.match(text, /^Failed:\n {2}a\n\n/)
  t.match(text, /^ {2}no root\n {4}b\.test\.js\n {4}c\.test\.js > mounts\n/m)
  t.equal(text.split('\n').at(-1), '4 passed, 1 failed, 2 skipped')
  t.end()
})
