/** What a configuration says of delegates without nocheck reaches the fetcher and the keeper. */
import { expect, it } from 'vitest'
import { systemClock } from '../../../src/keep/clock.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { createStapleKeeping } from '../../../src/run/daemon/keep-staples.ts'
import { createAuthority } from '../../kit/authority.ts'
import { loadText } from '../../kit/configuration.ts'
import { formatConfig } from '../../kit/daemon.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { createScriptedResponder } from '../../kit/responder.ts'

const authority = await createAuthority()

it.each([
  ['accept', 'good', 'fresh'],
  ['refuse', 'good', 'missing'],
  ['check', 'good', 'fresh'],
  ['check', 'revoked', 'missing'],
] as const)('%s, and the CA calls the delegate %s: the staple is %s', async (policy, said, stapleState) => {
  const own = await createScriptedResponder({ authority, behaviour: said })
  const extensions = [`authorityInfoAccess=OCSP;URI:${own.url}`]
  const signer = await authority.delegate({ nocheck: false, extensions })
  const responder = await createScriptedResponder({ authority, signer })
  const leaf = await authority.issueLeaf({ responderURL: responder.url })
  const lines = [`delegate_without_nocheck: ${policy}`, 'http_proxy: none']
  const text = formatConfig({ backend: 'tcp://127.0.0.1:1', leaf, lines })
  const { settings } = await loadText(text)
  const { keeper, close } = createStapleKeeping(settings, systemClock, memoryStore())
  endsWithTest(close)
  const kept = keeper.add({ certificate: leaf.certificate, issuerCandidates: [leaf.issuer] })
  await kept.settled()
  expect(kept.status().stapleState).toBe(stapleState)
  expect(own.count).toBe(policy === 'check' ? 1 : 0)
})
