import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { exchanges } from '../exchanges/registry.js'
import { packageRoot } from '../platform/package-info.js'

const ROOMS = JSON.parse(readFileSync(`${packageRoot}/rooms.json`, 'utf8')) as Record<string, string[]>

/** Files of product code, by their paths in the package. */
const productFiles = (...patterns: string[]) =>
  execaSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], { cwd: packageRoot })
    .stdout.split('\n')
    .filter(path => (path.split('/')[0] ?? '') in ROOMS)

const textOf = (path: string) => readFileSync(`${packageRoot}/${path}`, 'utf8')

/** What a file of TypeScript imports of our own, for its values or its types, at once or when it is asked for. */
function importsOf(path: string): string[] {
  const specifiers = textOf(path).matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.[^']+)\.js'/gm)
  return [...specifiers].map(([, to = '']) => `${posix.join(posix.dirname(path), to)}.ts`)
}

const graph = new Map(productFiles('*.ts').map(path => [path, importsOf(path)]))
const roomOf = (path: string) => path.split('/')[0] ?? ''

t.test('a room imports only rooms below it, as rooms.json says', t => {
  const order = Object.keys(ROOMS)
  for (const [room, allowed] of Object.entries(ROOMS))
    for (const below of allowed) t.ok(order.indexOf(roomOf(below)) < order.indexOf(room), `${room} above ${below}`)
  const found = [...graph].flatMap(([path, imports]) =>
    imports
      .filter(to => roomOf(to) !== roomOf(path))
      .filter(to => !ROOMS[roomOf(path)]?.some(may => to === `${may}.ts` || to.startsWith(`${may}/`)))
      .map(to => `${path} → ${to}`),
  )
  t.ok(graph.size > 300, `${graph.size} files`)
  t.same(found, [])
  t.end()
})

t.test('ARCHITECTURE.md lists the rooms that there are, and no other', t => {
  const [, table = ''] = textOf('ARCHITECTURE.md').split('| folder ')
  const listed = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)\/`/gm)].flatMap(([, room = '']) => room)
  const programs = ['test', 'bench', 'python']
  t.same(listed.filter(room => !programs.includes(room)).sort(), Object.keys(ROOMS).sort())
  t.end()
})

t.test('files that ARCHITECTURE.md names are there', t => {
  const named = [...textOf('ARCHITECTURE.md').matchAll(/`([\w/.-]+\.(?:ts|md|sql))`/g)].map(([, name = '']) => name)
  const files = execaSync('git', ['ls-files'], { cwd: packageRoot }).stdout.split('\n')
  t.ok(named.length > 20)
  t.same(
    named.filter(name => !files.some(path => path === name || path.endsWith(`/${name}`))),
    [],
  )
  t.end()
})

t.test('every import leads to a file', t => {
  const files = new Set(graph.keys())
  t.same(
    [...graph].flatMap(([path, imports]) => imports.filter(to => !files.has(to)).map(to => `${path} → ${to}`)),
    [],
  )
  t.end()
})

t.test('no files import each other in a circle', t => {
  t.same(circlesIn(graph), [])
  t.same(circlesIn(new Map([['a', ['b']], ['b', ['c', 'd']], ['c', ['a']], ['d', []]])), [['a', 'b', 'c']]) // prettier-ignore
  t.end()
})

/** Sets of files that reach each other. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const reachedBy = (from: string) => {
    const reached = new Set<string>()
    const left = [from]
    for (let path = left.pop(); path !== undefined; path = left.pop())
      for (const to of graph.get(path) ?? []) {
        if (!reached.has(to)) left.push(to)
        reached.add(to)
      }
    return reached
  }
  const reached = new Map([...graph.keys()].map(path => [path, reachedBy(path)]))
  const circles = [...reached].flatMap(([path, own]) =>
    own.has(path) ? [[...own].filter(to => reached.get(to)?.has(path)).sort()] : [],
  )
  return [...new Map(circles.map(circle => [circle.join(), circle])).values()]
}

for (const { name } of exchanges) {
  t.test(`only its folder and the registry name ${name}`, t => {
    const own = `exchanges/${name}/`
    const others = productFiles('*.ts', '*.sql', '*.html').filter(path => !path.startsWith(own))
    const named = others.filter(path => textOf(path).toLowerCase().includes(name))
    t.same(named, ['exchanges/registry.ts'])
    t.end()
  })

  t.test(`${name} knows no other exchange's folder`, t => {
    const own = `exchanges/${name}/`
    const found = [...graph]
      .filter(([path]) => path.startsWith(own))
      .flatMap(([path, imports]) =>
        imports.filter(to => /^exchanges\/[^/]+\//.test(to) && !to.startsWith(own)).map(to => `${path} → ${to}`),
      )
    t.same(found, [])
    t.end()
  })
}
