/** Folders of a target that are those here, though neither tree lies in the other. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { foldersOf } from '../../syncer/local-tree.js'
import { mountsHere } from '../../syncer/place/own-place.js'
import { sameBelow } from '../../syncer/place/same-below.js'

const FAMILY = 'raw/exchange=deribit/channel=trades'
const dates = (count: number) =>
  Array.from(
    { length: count },
    (_, day) => `date=2026-${day < 28 ? '01' : '02'}-${String((day % 28) + 1).padStart(2, '0')}`,
  )

/** The mounts of this machine, and none of a machine that does not tell them: what is asked there, too, must agree. */
const KNOWN = [
  ['by mounts and links', mountsHere()],
  ['by all folders', []],
] as const

t.test('a link at the target to a folder here is found, whether its neighbours are few or many', t => {
  for (const days of [2, 40])
    for (const at of ['raw', 'raw/exchange=deribit', FAMILY, `${FAMILY}/date=2026-01-02`]) {
      const root = t.testdir()
      const [dataDir, nas] = [join(root, 'data'), join(root, 'nas')]
      for (const top of [dataDir, nas])
        for (const date of dates(days)) mkdirSync(join(top, FAMILY, date), { recursive: true })
      for (const [how, mounts] of KNOWN) t.equal(sameBelow(dataDir, nas, mounts), undefined, `${how}: two trees`)
      rmSync(join(nas, at), { recursive: true })
      symlinkSync(join(dataDir, at), join(nas, at))
      for (const [how, mounts] of KNOWN) t.equal(sameBelow(dataDir, nas, mounts), at, `${how}, ${days} days`)
    }
  t.end()
})

t.test('a mount of a folder of ours is compared, down to an hour; one of another name is not', t => {
  const root = t.testdir()
  const [dataDir, nas] = [join(root, 'data'), join(root, 'nas')]
  const hour = `${FAMILY}/date=2026-01-02/hour=14`
  mkdirSync(join(dataDir, hour), { recursive: true })
  mkdirSync(join(dataDir, 'other'))
  // What a mount is from here: the same folder under two names. A link from above does the same, and is not looked for.
  const around = join(root, 'around')
  symlinkSync(dataDir, around)
  const mounted = (path: string) => ({ device: '8:1', root: '/', path })
  const rest = [mounted('/')]
  t.equal(sameBelow(dataDir, around, rest), undefined)
  for (const path of [hour, dirname(hour), FAMILY, 'raw']) {
    t.equal(sameBelow(dataDir, around, [...rest, mounted(join(dataDir, path))]), path)
    t.equal(sameBelow(dataDir, nas, [...rest, mounted(join(dataDir, path))]), undefined, 'the target has none')
  }
  for (const path of ['other', 'raw/other', '../data-2/raw', ''])
    t.equal(sameBelow(dataDir, around, [...rest, mounted(join(dataDir, path))]), undefined, path)
  t.end()
})

t.test('whatever links there are, the answer is that of all folders compared', t => {
  const root = t.testdir()
  const folder = fc.constantFrom('raw', 'raw/exchange=a', 'raw/exchange=a/channel=x', 'raw/exchange=a/channel=x/date=2026-01-01', 'raw/exchange=a/channel=x/date=2026-01-02', 'parquet/table=y/date=2026-01-01', 'parquet/not ours/date=2026-01-01') // prettier-ignore
  const date = folder.filter(path => path.includes('date='))
  const link = fc.record({ at: folder, to: folder, top: fc.constantFrom('data', 'nas') })
  let found = 0
  fc.assert(
    fc.property(fc.array(date), fc.array(folder), fc.array(link, { maxLength: 4 }), (here, there, links) => {
      const world = mkdtempSync(join(root, 'world-'))
      const [dataDir, nas] = [join(world, 'data'), join(world, 'nas')]
      for (const path of here) mkdirSync(join(dataDir, path), { recursive: true })
      for (const path of there) mkdirSync(join(nas, path), { recursive: true })
      const linked: string[] = []
      for (const { at, to, top } of links) {
        if (linked.some(above => `${at}/`.startsWith(`${above}/`))) continue
        linked.push(at)
        rmSync(join(nas, at), { recursive: true, force: true })
        mkdirSync(dirname(join(nas, at)), { recursive: true })
        symlinkSync(join(world, top, to), join(nas, at))
      }
      const all = sameBelow(dataDir, nas, [])
      if (all !== undefined) found++
      assert.equal(sameBelow(dataDir, nas, mountsHere()), all, foldersOf(dataDir).join(' '))
    }),
    { numRuns: 400 },
  )
  t.ok(found > 10, `${found} of them were the same`)
  t.end()
})
