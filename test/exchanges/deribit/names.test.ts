import t from 'tap'
import { partitionOfIndex, partitionOfInstrument } from '../../../exchanges/deribit/names.js'
import { capturedFrames, framesMissing } from '../../compactor/fixtures/segments.js'

interface Instrument {
  instrument_name: string
  kind: string
  base_currency: string
  quote_currency: string
  settlement_currency?: string
  settlement_period?: string
}

t.test('kind and currency are those of every captured instrument', { skip: framesMissing }, t => {
  const answers = capturedFrames('rest_get_instruments.jsonl.zst').map(
    text => (JSON.parse(text) as { result: Instrument[] }).result,
  )
  const wrong = answers.flat().filter(instrument => {
    const { kind, currency } = partitionOfInstrument(instrument.instrument_name)
    const wantedKind = instrument.settlement_period === 'perpetual' ? 'perpetual' : instrument.kind
    // Lists of 2021 do not name the settlement currency; all instruments of theirs are inverse.
    return kind !== wantedKind || currency !== (instrument.settlement_currency ?? instrument.base_currency)
  })
  t.same(wrong, [])
  t.ok(answers.flat().length > 1000)
  t.end()
})

t.test('combos are told apart by their legs', { skip: framesMissing }, t => {
  interface Combo {
    id: string
    legs: { instrument_name: string }[]
  }
  const combos = capturedFrames('rest_get_combos.jsonl').flatMap(
    text => (JSON.parse(text) as { result: Combo[] }).result,
  )
  for (const { id, legs } of combos) {
    const hasOption = legs.some(leg => partitionOfInstrument(leg.instrument_name).kind === 'option')
    t.same(partitionOfInstrument(id), { kind: hasOption ? 'option_combo' : 'future_combo', currency: 'BTC' }, id)
  }
  t.end()
})

t.test('names from the documentation', t => {
  const expected: Record<string, [string, string]> = {
    'BTC_USDC-PERPETUAL': ['perpetual', 'USDC'],
    '1000PEPE_USDC-PERPETUAL': ['perpetual', 'USDC'],
    'SOL_USDC-25SEP26': ['future', 'USDC'],
    'BTC-5AUG23': ['future', 'BTC'],
    'XRP_USDC-30JUN23-0d625-C': ['option', 'USDC'],
    'MATIC_USDC-9MAR24-1d02-C': ['option', 'USDC'],
    BTC_USDC: ['spot', 'USDC'],
    ETH_BTC: ['spot', 'BTC'],
    'BTC-FS-25DEC26_PERP': ['future_combo', 'BTC'],
    'SOL_USDC-FS-25SEP26_PERP': ['future_combo', 'USDC'],
    'BTC-STRD-30SEP22-20000': ['option_combo', 'BTC'],
    'BTC-CSR12-16SEP22-21000_23000': ['option_combo', 'BTC'],
    'BTC-CCAL-25DEC26_25SEP26-55000': ['option_combo', 'BTC'],
  }
  for (const [name, [kind, currency]] of Object.entries(expected)) {
    t.same(partitionOfInstrument(name), { kind, currency }, name)
  }
  t.same(partitionOfIndex('btc_usd'), { kind: 'index', currency: 'BTC' })
  t.same(partitionOfIndex('sol_usdc'), { kind: 'index', currency: 'SOL' })
  t.end()
})

t.test('any other text gives a fixed place', t => {
  for (const name of [
    '../../x',
    'a/b',
    '',
    'btc-perpetual',
    'BTC\0-PERPETUAL',
    'X'.repeat(300),
    '..',
    'ΒTC-PERPETUAL',
  ]) {
    t.same(partitionOfInstrument(name), { kind: 'none', currency: 'OTHER' }, JSON.stringify(name))
  }
  t.same(partitionOfInstrument(`${'X'.repeat(300)}-PERPETUAL`), { kind: 'perpetual', currency: 'OTHER' })
  t.same(partitionOfIndex('../btc_usd'), { kind: 'index', currency: 'OTHER' })
  t.end()
})
