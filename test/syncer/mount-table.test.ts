import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { namesOf, parseMounts } from '../../syncer/place/mount-table.js'
import { holds } from '../fixtures/holds.js'

const TABLE = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /proc rw - proc proc rw
40 22 8:2 / /srv rw - ext4 /dev/sdb rw
41 22 8:2 /lake/data /data rw - ext4 /dev/sdb rw
42 22 8:2 /lake/my\\040disk /mnt/my\\040disk rw - ext4 /dev/sdb rw
43 40 8:3 / /srv/other rw - ext4 /dev/sdc rw
44 22 8:2 /other /mnt/hidden rw - ext4 /dev/sdb rw
`

t.test('a place is known by all the names that mounts give it', t => {
  const mounts = parseMounts(TABLE)
  t.equal(mounts.length, 7)
  t.same(namesOf('/data/raw', mounts), ['/data/raw', '/srv/lake/data/raw'])
  t.same(namesOf('/srv/lake/data', mounts), ['/srv/lake/data', '/data'])
  t.same(namesOf('/srv/lake', mounts), ['/srv/lake'], 'above what is mounted elsewhere')
  t.same(namesOf('/srv/lake/my disk/x', mounts), ['/srv/lake/my disk/x', '/mnt/my disk/x'])
  t.same(namesOf('/home', mounts), ['/home'])
  t.same(namesOf('/mnt/hidden/x', mounts), ['/mnt/hidden/x'], 'another mount hides the other name')
  t.same(namesOf('/data', []), ['/data'])
  t.end()
})

t.test('whatever is mounted where, a place is among its own names, and each name is the same place', t => {
  const part = fc.constantFrom('a', 'b', 'my disk', 'a/b')
  const mount = fc.record({ device: fc.constantFrom('8:1', '8:2'), root: fc.oneof(fc.constant('/'), part.map(p => `/${p}`)), path: part.map(p => `/${p}`) }) // prettier-ignore
  const escaped = (text: string) => text.replaceAll(' ', '\\040')
  holds(t, fc.property(fc.array(mount, { maxLength: 6 }), fc.array(part, { maxLength: 3 }), (mounts, parts) => {
      const table = [{ device: '8:1', root: '/', path: '/' }, ...mounts].map(one => ({ ...one }))
      const read = parseMounts(table.map(({ device, root, path }, n) => `${n} 1 ${device} ${escaped(root)} ${escaped(path)} rw - x x rw\n`).join(''))
      assert.deepEqual(read, table)
      const path = `/${parts.join('/')}`
      const names = namesOf(path, read)
      assert.equal(names[0], path)
      assert.equal(new Set(names).size, names.length)
      for (const name of names) assert.deepEqual(new Set(namesOf(name, read)), new Set(names), `${name} is ${path}`)
    }),
    { numRuns: 300 },
  ) // prettier-ignore
  t.end()
})
