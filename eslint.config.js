import { readFileSync } from 'node:fs'
import tseslint from 'typescript-eslint'

/** The rooms of the house, from the ground up, and what each may import besides itself, Node and npm. */
const rooms = JSON.parse(readFileSync(new URL('rooms.json', import.meta.url), 'utf8'))
const folders = [...Object.keys(rooms), 'bench', 'test']

const boundaries = Object.entries(rooms).map(([part, allowed]) => ({
  files: [`${part}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: folders
          .filter(folder => folder !== part && !allowed.includes(folder))
          .map(folder => {
            const exceptions = allowed
              .filter(name => name.startsWith(`${folder}/`))
              .map(name => name.slice(folder.length + 1))
            const tail = exceptions.length > 0 ? `(?!(?:${exceptions.join('|')})\\.js$)` : ''
            return { regex: `^(?:\\.\\./)+${folder}/${tail}`, message: `${part}/ must not import from ${folder}/` }
          }),
      },
    ],
  },
}))

/** tap's match and has let a list have more items than its pattern, and an empty pattern matches anything. */
const looseMatches = ['ArrayExpression:nth-child(2)', ':nth-child(2) ArrayExpression']
  .map(pattern => ({
    selector: `CallExpression[callee.property.name=/^(match|has|hasStrict)$/] > ${pattern}`,
    message: 'passes when the list has more items: use matchAll(t, …) of test/fixtures/match-all.ts',
  }))
  .concat({
    selector: "CallExpression[callee.name='matchAll'] ArrayExpression > ObjectExpression[properties.length=0]",
    message: 'matches anything: say what the item is',
  })

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tap'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          name: '@duckdb/node-api',
          allowTypeImports: true,
          message: 'takes 0.12 s more: duckdb() of platform/duckdb.ts',
        },
        { name: 'ws', allowTypeImports: true, message: 'takes 45 ms more: platform/web-socket.ts' },
        { name: 'zod', allowTypeImports: true, message: 'it loads sixty languages: import z of platform/zod.ts' },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  // tap's assertions return promises for subtests only; its tests are awaited by the runner.
  // An async test ends by itself, whether or not it awaits anything.
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', ...looseMatches],
    },
  },
  ...boundaries,
)
