import t from 'tap'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { isJsonLine, MAX_DEPTH } from '../../recorder/json-text.js'
import { encodingOf } from '../../recorder/storage/line-encoding.js'
import { capturedFrames } from '../fixtures/captured-frames.js'

const accepts = (text: string) => isJsonLine(Buffer.from(text))

/** The same question asked of the engine's parser: one object or array, in one line, no deeper than we allow. */
function oracle(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  if (/[\n\r]/.test(text) || !/^[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

t.test('accepts JSON and nothing else', t => {
  for (const text of [
    '{}',
    '[]',
    '{"a":[1,-0,0.5,2.0e3,6.563e-5,1E+2]}',
    '[true,false,null]',
    '{"a":"\\u00e9\\n\\"é"}',
    '{ "a" : [ 1 , 2 ] }',
  ]) {
    t.ok(accepts(text), text)
  }
  const wrong = [
    '',
    '1',
    '"a"',
    'null',
    '{',
    '[',
    '{]',
    '[}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '[01]',
    '[1.]',
    '[.5]',
    '[1e]',
    '[+1]',
  ]
  for (const text of [
    ...wrong,
    '[tru]',
    '[nul]',
    '["\\x"]',
    '["\\u12"]',
    '["a]',
    '["a\u0001"]',
    '{}x',
    '[] []',
    '{"a":1}\n',
    '{\n"a":1}',
  ]) {
    t.notOk(accepts(text), JSON.stringify(text))
  }
  t.end()
})

t.test('depth has a bound', t => {
  t.ok(accepts('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH)))
  t.notOk(accepts('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1)))
  t.notOk(accepts('['.repeat(1_000_000)))
  t.end()
})

t.test('agrees with the parser on 20,000 damaged frames', t => {
  const seeds = [
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"a":[1.5e-7,null,{"b":"c\\"d"}]}}}',
    '[[],{},"",0]',
  ]
  const generator = xoroshiro128plus(7)
  const alphabet = '{}[]",:.-+eE0123456789truefalsnl\\u \t'
  let checked = 0
  for (let round = 0; round < 20_000; round++) {
    const text = Buffer.from(seeds[round % seeds.length] ?? '')
    for (let damage = uniformInt(generator, 1, 3); damage > 0; damage--) {
      text[uniformInt(generator, 0, text.length - 1)] = alphabet.charCodeAt(
        uniformInt(generator, 0, alphabet.length - 1),
      )
    }
    if (isJsonLine(text) !== oracle(text)) t.fail(`disagrees on ${text.toString()}`)
    checked++
  }
  t.equal(checked, 20_000)
  t.end()
})

t.test('every captured frame is kept as a frame', t => {
  for (const file of ['book', 'ticker', 'trades', 'quote', 'rpc', 'rest_get_order_book', 'markprice_options']) {
    for (const frame of capturedFrames(t, `${file}.jsonl`) ?? []) {
      if (encodingOf(Buffer.from(frame)) !== 'frame') t.fail(`${file}: ${frame.slice(0, 80)}`)
    }
  }
  t.equal(encodingOf(Buffer.from('hello')), 'text')
  t.equal(encodingOf(Buffer.from('{"a":\n1}')), 'text')
  t.equal(encodingOf(Buffer.from([0xff, 0xfe, 0x00])), 'base64')
  t.end()
})
