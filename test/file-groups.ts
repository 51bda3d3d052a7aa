import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { packageRoot } from '../platform/package-info.js'

/** So many share a process: its start is shared by enough, and what one of them spoils is done again by few. */
const GROUP_FILES = 16

/** What a test, or what it imports of the tests, must not do to share a process: all that outlasts it or is of the whole process. */
const OF_THE_PROCESS = [
  // Programs and threads, whose ends are told to the process, and what is told of them.
  /from '(?:node:child_process|node:worker_threads|node:cluster|node:test|execa|tap-parser)'/,
  // What the process has one of; where it runs it may ask.
  /\bprocess\.(?!cwd\(\)|pid\b|platform\b|version\b|versions\b|execPath\b|hrtime\b|memoryUsage\b|cpuUsage\b)/,
  /\bglobalThis\b|\bsetFlagsFromString\b|\bsyncBuiltinESMExports\b|\bconfigureGlobal\b/,
  /\b(?:Date|Math|JSON|performance|console)\.\w+ = /,
]

/** At the top of a file they would be of all files, or outlast their own; so would a wait. */
const OF_THE_FILE = [
  /^\S.*\bt\.(?!test\()\w+|^t\.(?!test\()\w+/m,
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
  return testsIn(file, read).every(path => !OF_THE_PROCESS.some(pattern => pattern.test(read(path))))
}

/** Files that share a process, group by group, in their order, and those that have one of their own. */
export function groupFiles(files: readonly string[]): { groups: string[][]; alone: string[] } {
  const sharing = files.filter(file => canShare(file))
  const groups = Array.from({ length: Math.ceil(sharing.length / GROUP_FILES) }, (_, at) =>
    sharing.slice(at * GROUP_FILES, (at + 1) * GROUP_FILES),
  )
  return { groups, alone: files.filter(file => !sharing.includes(file)) }
}
