import tseslint from 'typescript-eslint'

/** Parts meet only in files: what a part may import besides itself, Node and npm. */
const shared = ['platform', 'formats', 'config', 'exchanges']
const parts = {
  platform: [],
  // All that parts meet in: names, lines, manifests, and the walk over a tree.
  formats: ['platform'],
  // All about one exchange in a folder of its own.
  exchanges: ['platform', 'formats', 'simulator'],
  config: ['platform', 'formats', 'exchanges'],
  recorder: shared,
  compactor: shared,
  syncer: shared,
  // A market and what may go wrong; no protocol of an exchange.
  simulator: ['platform'],
  // Besides the format: the decoder that survives torn files.
  reading: ['platform', 'formats', 'exchanges', 'recorder/storage/decode-segment'],
  library: ['platform', 'formats', 'reading'],
}
const folders = [
  'platform',
  'formats',
  'config',
  'exchanges',
  'recorder',
  'compactor',
  'syncer',
  'simulator',
  'reading',
  'cli',
  'bench',
  'test',
]

const boundaries = Object.entries(parts).map(([part, allowed]) => ({
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
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  // tap's assertions return promises for subtests only; its tests are awaited by the runner.
  // An async test ends by itself, whether or not it awaits anything.
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/require-await': 'off' },
  },
  ...boundaries,
)
