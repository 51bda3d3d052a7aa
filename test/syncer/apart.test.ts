/** What a target that is no folder of this machine is asked for, and when: are its folders others than those here? */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { runSyncer } from '../../syncer/main.js'
import { checksumsOf } from '../../syncer/checksum.js'
import type { Mark } from '../../syncer/place/mark.js'
import { FolderTarget } from '../../syncer/targets/folder.js'
import type { ExpectedFile, OutgoingFile, Target, Verdict, VerifyResult, Work } from '../../syncer/targets/target.js'
import { filesBelow, handClock, HOUR_14, HOUR_MS, ShippedTree, testConfig } from '../fixtures/shipped-tree.js'

const log = pino({ level: 'silent' })
const { signal } = new AbortController()
const isToken = (path: string) => /\/\.edgetape-here-[0-9a-f]+$/.test(path)

/** It compares contents, as rsync does: which file it is that has them, it cannot say. */
class FarTarget implements Target {
  readonly label = 'nas:/tape'
  readonly syncsToDisk = true
  /** What it was asked, in turn. */
  calls: string[] = []
  /** Folders that it was asked for. */
  folders: string[] = []
  /** It says nothing of tokens. */
  isMute = false
  readonly #root: string
  readonly #folder: FolderTarget

  constructor(root: string) {
    this.#root = root
    this.#folder = new FolderTarget(root, 60_000)
  }

  async reach() {
    // Its mark shows what is there.
  }

  async prepare() {
    // Nothing to find out.
  }

  compareMarks(marks: readonly Mark[]) {
    this.calls.push('compare mark')
    return this.#folder.compareMarks(marks)
  }

  writeMark(mark: Mark, how: 'new' | 'over') {
    this.calls.push('write mark')
    return this.#folder.writeMark(mark, how)
  }

  async ship(files: readonly OutgoingFile[], { dataDir }: Work) {
    this.calls.push('ship')
    for (const { path } of files) cpSync(join(dataDir, path), join(this.#root, path))
    return { done: files.map(({ path }) => path), problems: [] }
  }

  async verify(files: readonly ExpectedFile[], { onFile }: Work): Promise<VerifyResult> {
    const tokens = files.filter(({ path }) => isToken(path))
    this.folders.push(...tokens.map(({ path }) => dirname(path)))
    this.calls.push([...(tokens.length < files.length ? ['files'] : []), ...(tokens.length > 0 ? ['tokens'] : [])].join(' and ')) // prettier-ignore
    const asked = this.isMute ? files.filter(({ path }) => !isToken(path)) : files
    return { verdicts: new Map(asked.map(file => { onFile(file.bytes); return [file.path, this.#compare(file)] })), problems: [] } // prettier-ignore
  }

  #compare({ path, sha256 }: ExpectedFile): Verdict {
    const full = join(this.#root, path)
    if (!existsSync(full)) return 'missing'
    return checksumsOf(readFileSync(full, 'utf8')).sha256 === sha256 ? 'same' : 'wrong'
  }

  async fetch() {
    throw new Error('nothing is fetched')
  }
}

function world(t: Test) {
  const folder = t.testdir({ nas: {} })
  const [tree, nas] = [new ShippedTree(join(folder, 'data')), join(folder, 'nas')]
  const target = new FarTarget(nas)
  const clock = handClock(HOUR_14 + 2 * HOUR_MS)
  /** A syncer that starts, does one pass, and ends. */
  const pass = async (graceMinutes: number, minutes = 60) => {
    clock.advance(minutes * 60_000)
    target.calls = []
    target.folders = []
    const config = testConfig(tree.dataDir, { target: '/nowhere', graceMinutes }, { keepHours: 1000 })
    return runSyncer({ config, target, log, once: true, signal, clock })
  }
  let made = 0
  const segment = (startedMs?: number) => tree.segment(++made, undefined, startedMs)
  const ledger = () => [...filesBelow(join(tree.dataDir, 'state/syncer')).values()].join('')
  const tokens = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(isToken)
  /** The folder of a date there is the one here, as by a mount. */
  const share = (path: string) => {
    const date = dirname(dirname(path))
    renameSync(join(nas, date), join(nas, 'aside'))
    symlinkSync(join(tree.dataDir, date), join(nas, date))
    return date
  }
  return { tree, nas, target, pass, segment, ledger, tokens, share }
}

t.test(
  'a pass that only compares asks for files and folders in one call, one with nothing to do for neither',
  async t => {
    const { tree, target, pass, segment, tokens } = world(t)
    const path = segment()
    t.match(await pass(600), { shippedFiles: 2, verifiedFiles: 0 })
    t.same(target.calls, ['tokens', 'write mark', 'compare mark', 'write mark', 'ship'])
    t.match(await pass(0), { verifiedFiles: 2, handledFiles: 2 })
    t.same(target.calls, ['compare mark', 'files and tokens'])
    const dates = [dirname(dirname(path)), dirname(path)].map(folder => join(tree.dataDir, folder))
    const changed = () => dates.map(folder => statSync(folder).mtimeMs)
    const before = changed()
    t.match(await pass(0), { verifiedFiles: 0, problemFiles: 0, error: undefined })
    t.same(target.calls, ['compare mark'])
    t.same(changed(), before, 'a date that is through shows no change by which it would be read again')
    t.same(tokens(), [])
  },
)

t.test('a folder that is ours by a mount is never taken for the copy, nor written to', async t => {
  const { target, pass, segment, ledger, share, tokens } = world(t)
  const path = segment()
  t.match(await pass(600), { shippedFiles: 2 })
  const date = share(path)
  await t.rejects(pass(0), { code: 'SYNC_TARGET_NOT_ELSEWHERE', path: date })
  t.same(target.calls, ['compare mark', 'files and tokens'])
  t.notMatch(ledger(), 'verified')
  t.same(tokens(), [])
})

t.test('nor where a syncer starts again within the grace period, and has no number to write', async t => {
  const { target, pass, segment, share, tokens, nas } = world(t)
  const path = segment()
  t.match(await pass(600), { shippedFiles: 2 })
  const date = share(path)
  segment()
  const marks = () => filesBelow(nas, name => name.startsWith('.edgetape-target'))
  const before = marks()
  await t.rejects(pass(600), { code: 'SYNC_TARGET_NOT_ELSEWHERE', path: date })
  t.same(target.calls, ['compare mark', 'tokens'])
  t.same(marks(), before)
  t.same(tokens(), [])
  rmSync(join(nas, date))
  renameSync(join(nas, 'aside'), join(nas, date))
  t.match(await pass(600), { shippedFiles: 2 })
  t.same(target.calls, ['compare mark', 'tokens', 'ship'])
})

t.test('what is the same is not believed of a folder of which the target did not come to speak', async t => {
  const { target, pass, segment, ledger } = world(t)
  segment()
  await pass(600)
  target.isMute = true
  t.match(await pass(0), { verifiedFiles: 0, error: undefined, unverifiedFiles: 2 })
  t.notMatch(ledger(), 'verified')
  target.isMute = false
  t.match(await pass(0), { verifiedFiles: 2 })
})

const dateFolder = (path: string) => /^.*\/date=[^/]+/.exec(path)?.[0] ?? ''

t.test('a pass that brings something asks for the folders of its dates, not for those of all others', async t => {
  const { tree, target, pass, segment, ledger, nas } = world(t)
  const earlier = dateFolder(segment(HOUR_14 - 48 * HOUR_MS))
  const today = dateFolder(segment())
  t.match(await pass(600), { shippedFiles: 4 })
  t.ok(target.folders.includes(earlier), 'before the first mark it is asked for all')
  t.match(await pass(0), { verifiedFiles: 4 })
  const changed = () => statSync(join(tree.dataDir, earlier)).mtimeMs
  const before = changed()
  segment()
  t.match(await pass(600), { shippedFiles: 2 })
  t.equal(target.calls[1], 'tokens')
  t.same(target.folders.toSorted(), ['raw', dirname(dirname(today)), dirname(today), today])
  t.equal(changed(), before, 'it need not be read again')

  renameSync(join(nas, earlier), join(nas, 'aside'))
  symlinkSync(join(tree.dataDir, earlier), join(nas, earlier))
  segment()
  t.match(await pass(600), { shippedFiles: 2 }, 'nothing is brought to the one that is ours')
  const [files, known] = [filesBelow(join(tree.dataDir, earlier)), ledger()]
  segment(HOUR_14 - 48 * HOUR_MS)
  segment()
  await t.rejects(pass(600), { code: 'SYNC_TARGET_NOT_ELSEWHERE', path: earlier })
  t.same(target.calls, ['compare mark', 'tokens'], 'neither a file nor a mark')
  t.equal(ledger(), known)
  for (const [path, content] of files) t.equal(filesBelow(join(tree.dataDir, earlier)).get(path), content)
})
