import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configKeys, exchangeKeys } from '../../config/keys.js'
import { loadConfig, parseConfig } from '../../config/load.js'
import { parse } from 'yaml'
import { packageRoot } from '../../platform/package-info.js'

const path = join(packageRoot, 'config', 'edgetape.example.yaml')
const text = readFileSync(path, 'utf8')

/** The keys without a fixed default stand in the example as comments. */
const uncommented = text.replace(/^( *)# ([A-Za-z]+: \S+)$/gm, '$1$2')

t.test('the example says what the defaults are', t => {
  t.same(loadConfig(path), parseConfig('exchange: { name: deribit }', path))
  t.end()
})

t.test('every key stands in the example, and is meant', t => {
  const values: unknown = parse(uncommented)
  for (const { key } of configKeys()) if (key !== 'exchanges') t.not(at(values, key), undefined, key)
  const config = parseConfig(uncommented, path)
  t.equal(config.host, 'vps-ldn-1')
  t.equal(config.sync.target, 'recorder@nas:/volume1/edgetape')
  t.end()
})

t.test('the example of another feed has every key that it may have', t => {
  const path = join(packageRoot, 'config', 'edgetape.generic.example.yaml')
  const text = readFileSync(path, 'utf8')
  t.equal(loadConfig(path).exchanges[0]?.name, 'binance')
  const values: unknown = parse(text.replace(/^( *)# ([A-Za-z]+: .*)$/gm, '$1$2'))
  for (const { key } of exchangeKeys('generic')) t.not(at(values, key), undefined, key)
  t.end()
})

t.test('every key has a meaning', t => {
  for (const { key, meaning } of [...configKeys(), ...exchangeKeys('generic')]) t.ok(meaning, key)
  t.end()
})

function at(values: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], values)
}
