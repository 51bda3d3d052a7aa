import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { packageRoot } from '../platform/package-info.js'

/** So many share a process: its start is shared by enough, and what one of them spoils is done again by few. */
const GROUP_FILES = 24
/** Those that start programs take longer, and wait. */
const GROUP_FILES_WITH_PROGRAMS = 6

/** What a test, or what it imports of the tests, must not do to share a process: all that outlasts it or is of the whole process. */
const OF_THE_PROCESS = [
  // Threads, whose ends are told to the process; timers that are moved; who reads results.
  /from '(?:node:worker_threads|node:cluster|node:test|tap-parser)'/,
  // What the process has one of; where it runs it may ask, and what is done at its end disturbs nobody.
  /(?<![-.\w])process\.(?=\w)(?!(?:pid|platform|version|versions|execPath|hrtime|memoryUsage|cpuUsage|kill|getuid)\b|cwd\(\)|env\['\w+'\](?! (?:\?\?)?= )|once\('exit')/,
  /\bglobalThis\b|\bsetFlagsFromString\b|\bsyncBuiltinESMExports\b|\bconfigureGlobal\b/,
  /\b(?:Date|Math|JSON|performance|console)\.\w+ = /,
]

/** Said by what changes such a thing for a while. */
const PUTS_BACK = /^\/\/ Puts back what it changes of the process\b/m
/** They end with the test that started them. */
const PROGRAMS = /from '(?:node:child_process|execa)'/

/** At the top of a file they would be of all files; so would a wait. */
const OF_THE_FILE = [
  /^(?:\S.*\b)?t\.(?!(?:test|teardown|testdir)\(|jobs = )\w+/m,
  /setTimeout\(\d|timeout: \d/,
  /^\/\/ Mostly waits\b/m,
]

const IMPORT = /^(?:import|export) [^']*from '(\.[^']+)\.js'|\bimport\('(\.[^']+)\.js'\)/gm

type Read = (path: string) => string
const fromDisk: Read = path => readFileSync(join(packageRoot, path), 'utf8')

/** Files of the tests that a file is made of, itself first. */
function testsIn(file: string, read: Read): string[] {
  const found = new Set([file])
  for (const path of found)
    for (const [, named, loaded] of read(path).matchAll(IMPORT)) {
      const other = `${normalize(join(dirname(path), named ?? loaded ?? ''))}.ts`
      if (other.startsWith('test/')) found.add(other)
    }
  return [...found]
}

/** Whether a file of tests can share a process with others: nothing of it is left when it is done, as far as its text says. */
export function canShare(file: string, read: Read = fromDisk): boolean {
  if (OF_THE_FILE.some(pattern => pattern.test(read(file)))) return false
  return testsIn(file, read).every(path => {
    const text = read(path)
    return PUTS_BACK.test(text) || !OF_THE_PROCESS.some(pattern => pattern.test(text))
  })
}

const startsPrograms = (file: string) => testsIn(file, fromDisk).some(path => PROGRAMS.test(fromDisk(path)))

const inGroupsOf = (most: number, files: readonly string[]) =>
  Array.from({ length: Math.ceil(files.length / most) }, (_, at) => files.slice(at * most, (at + 1) * most))

/** Files that share a process, group by group, in their order, and those that have one of their own. */
export function groupFiles(files: readonly string[]): { groups: string[][]; alone: string[] } {
  const sharing = files.filter(file => canShare(file))
  const [withPrograms, without] = [sharing.filter(startsPrograms), sharing.filter(file => !startsPrograms(file))]
  return {
    groups: [...inGroupsOf(GROUP_FILES_WITH_PROGRAMS, withPrograms), ...inGroupsOf(GROUP_FILES, without)],
    alone: files.filter(file => !sharing.includes(file)),
  }
}
