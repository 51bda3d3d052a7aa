import t from 'tap'
import { BookChain } from '../../exchanges/book-chain.js'

const snapshot = (changeId: number) => ({ isSnapshot: true, changeId, prevChangeId: undefined })
const change = (prevChangeId: number, changeId: number) => ({ isSnapshot: false, changeId, prevChangeId })

t.test('ids jump by any amount, and 0 is an id', t => {
  const chain = new BookChain()
  t.equal(chain.see(snapshot(0), 1), 'snapshot')
  t.equal(chain.see(change(0, 5), 2), 'next')
  t.equal(chain.see(change(5, 5000), 3), 'next')
  t.equal(chain.see(change(5000, 5001), 4), 'next')
  t.equal(chain.lastChangeId, 5001)
  t.end()
})

t.test('a change of before the snapshot is no gap', t => {
  const chain = new BookChain()
  chain.see(snapshot(100), 1)
  t.equal(chain.see(change(80, 90), 2), 'old')
  t.equal(chain.see(change(90, 100), 3), 'old')
  t.equal(chain.see(change(100, 110), 4), 'next')
  t.equal(chain.see(change(100, 110), 5), 'old', 'the same frame again')
  t.equal(chain.see(change(80, 90), 6), 'break', 'ids that go back later on are a break')
  t.end()
})

t.test('a snapshot of id 0 followed by a first change that does not name it', t => {
  const chain = new BookChain()
  chain.see(snapshot(0), 1)
  t.equal(chain.see(change(3, 4), 2), 'break')
  t.end()
})

t.test('a break ends with the snapshot of a new subscription only', t => {
  const chain = new BookChain()
  chain.see(snapshot(10), 1)
  t.equal(chain.see(change(11, 12), 2), 'break')
  t.equal(chain.see(change(12, 13), 3), 'broken')
  t.equal(chain.see(snapshot(14), 4), 'broken')
  t.equal(chain.lastUs, 1, 'of the last frame before the break')
  chain.restart()
  t.equal(chain.see(change(13, 14), 5), 'early', 'no snapshot yet')
  t.equal(chain.see(snapshot(14), 6), 'snapshot')
  t.equal(chain.see(change(14, 15), 7), 'next')
  t.end()
})
