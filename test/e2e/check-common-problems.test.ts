/**
 * The common problems of every guide to stapling: the broken server is started, `examine` finds what is wrong, the
 * remedy that it printed is applied to the server's configuration, and the finding is gone.
 */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startApache, testApache } from '../kit/apache.ts'
import { createAuthority, type Leaf } from '../kit/authority.ts'
import { freePort } from '../kit/free-port.ts'
import { linesOf, mendApache, mendNginx, type Places, remedyOf, runFetch } from '../kit/mend.ts'
import { nginxPaths, startNginxWithWorkers } from '../kit/nginx.ts'
import { createScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage, troublesOf } from './check-stage.ts'

const stage = await setCheckStage()
/** Nobody listens there: what a firewall that rejects looks like. */
const blocked = 'http://127.0.0.1:1/'

describe('nginx: no response on the first request after a reload', () => {
  it('is missed once in each worker, and never out of a file', async () => {
    const { leaf, port, places } = await site()
    const broken = nginxSite(leaf, port, trusting(leaf))
    const nginx = await startNginxWithWorkers(broken, port, 2)
    const before = await stage.look(port, { connections: 20 })
    expect(codesOf(before)).toContain('staple-missed-sometimes')
    expect(before.server?.kind).toBe('nginx')

    const remedy = remedyOf(before, 'staple-missed-sometimes', 'nginx')
    await runFetch(remedy, places)
    await nginx.reload(mendNginx(broken, linesOf(remedy, places)))
    const after = await stage.look(port, { connections: 20 })
    expectHealthy(after)
  })
})

// Where the issuer itself signs, nginx trusts it for standing in the chain that it sends; a delegated signer it does not.
describe('nginx: ssl_stapling_verify fails', async () => {
  const { authority } = stage
  const signer = await authority.delegate()
  const delegated = await createScriptedResponder({
    authority,
    signer,
    certificates: [signer.certificate.der],
    validityMs: 7 * 86_400_000,
  })

  it.each<[string, () => Promise<string>]>([
    ['no ssl_trusted_certificate', async () => ''],
    ["another CA's", async () => `ssl_trusted_certificate ${(await createAuthority({ name: 'Other CA' })).caFile};`],
    [
      'the intermediate without the root',
      async () => `ssl_trusted_certificate ${stage.authority.intermediate.certificateFile};`,
    ],
  ])('with %s', async (_what, trust) => {
    const { leaf, port, places } = await site(delegated.url)
    const broken = nginxSite(leaf, port, `ssl_stapling on;\n  ssl_stapling_verify on;\n  ${await trust()}`)
    const nginx = await startNginxWithWorkers(broken, port, 1)
    const before = await stage.look(port)
    expect(codesOf(before)).toContain('no-staple')
    await nginx.program.waitFor(/OCSP_basic_verify\(\) failed/)

    await nginx.reload(mendNginx(broken, linesOf(remedyOf(before, 'no-staple', 'nginx'), places)))
    // It goes without in the first handshake, and staples then.
    await expect.poll(async () => troublesOf(await stage.look(port)), { timeout: 15_000 }).toEqual([])
  })
})

describe('Apache: the stapling cache is not initialised', () => {
  it('with stapling switched on and no cache Apache does not start: nobody answers', async () => {
    const { leaf, port, places } = await site()
    const broken = `SSLUseStapling On\n${apacheSite(leaf, port)}`
    expect(await testApache(broken, port), 'configtest finds nothing').toBe('')
    await expect(startApache(broken, port)).rejects.toThrow(/AH01958: SSLStapling: no stapling cache available/)
    const before = await stage.look(port)
    expect({ severity: before.severity, codes: codesOf(before) }).toEqual({
      severity: 'unknown',
      codes: ['could-not-connect'],
    })

    await startApache(mendApache(broken, linesOf(remedyOf(before, 'could-not-connect', 'apache'), places)), port)
    expectHealthy(await stage.look(port))
  })

  it('nor with the cache inside of a virtual host', async () => {
    const { leaf, port, places } = await site()
    const broken = apacheSite(leaf, port, 'SSLUseStapling On\nSSLStaplingCache shmcb:stapling_cache(128000)')
    expect(await testApache(broken, port)).toMatch(/SSLStaplingCache cannot occur within <VirtualHost> section/)
    const before = await stage.look(port)
    expect(codesOf(before)).toEqual(['could-not-connect'])

    await startApache(mendApache(broken, linesOf(remedyOf(before, 'could-not-connect', 'apache'), places)), port)
    expectHealthy(await stage.look(port))
  })

  it('so it was left off, and nothing is stapled', async () => {
    const { leaf, port, places } = await site()
    const broken = apacheSite(leaf, port)
    const apache = await startApache(broken, port)
    const before = await stage.look(port)
    expect(codesOf(before)).toContain('no-staple')

    await apache.restart(mendApache(broken, linesOf(remedyOf(before, 'no-staple', 'apache'), places)))
    expectHealthy(await stage.look(port))
  })
})

describe('no response sent: the server does not reach the responder', () => {
  it.each<[string, string, RegExp]>([
    ['a port that is closed', blocked, /TCP 1 failed/],
    ['a name that does not resolve', 'http://ocsp.staplewright.test/', /DNS failed/],
  ])('nginx, because of %s: mended with a responder that is nearer', async (_what, responderURL, step) => {
    const { leaf, port, places } = await site(responderURL)
    const broken = nginxSite(leaf, port, trusting(leaf))
    const nginx = await startNginxWithWorkers(broken, port, 1)
    const before = await stage.look(port)
    expect(codesOf(before)).toEqual(expect.arrayContaining(['no-staple', 'ca-unreachable']))
    expect(before.findings.find(({ code }) => code === 'ca-unreachable')?.title).toMatch(step)

    await nginx.reload(mendNginx(broken, linesOf(remedyOf(before, 'ca-unreachable', 'nginx'), places)))
    // What it cannot reach from here, `check` still says.
    await expect.poll(async () => troublesOf(await stage.look(port)), { timeout: 15_000 }).toEqual(['ca-unreachable'])
  })

  it('nginx, because of a firewall: gone when the firewall lets it through', async () => {
    const { authority } = stage
    const responder = await createScriptedResponder({ authority, behaviour: 'refuse', validityMs: 7 * 86_400_000 })
    const { leaf, port } = await site(responder.url)
    const config = nginxSite(leaf, port, trusting(leaf))
    const nginx = await startNginxWithWorkers(config, port, 1)
    const before = await stage.look(port)
    expect(codesOf(before)).toEqual(expect.arrayContaining(['no-staple', 'ca-unreachable']))
    const finding = before.findings.find(({ code }) => code === 'ca-unreachable')
    expect(finding?.title).toContain(`TCP ${responder.port} failed`)
    expect(finding?.remedies[0]?.text).toMatch(/firewall/)

    await responder.behave('good')
    await nginx.reload(config)
    await expect.poll(async () => troublesOf(await stage.look(port)), { timeout: 15_000 }).toEqual([])
  })

  it('Apache staples an error for it, then nothing, then with a proxy the answer', async () => {
    const { leaf, port, places } = await site(blocked)
    const broken = `SSLUseStapling On
SSLStaplingCache shmcb:stapling_cache(128000)
${apacheSite(leaf, port)}`
    const apache = await startApache(broken, port)
    const before = await stage.look(port)
    expect(codesOf(before)).toContain('stapled-error')
    expect(before.server?.kind).toBe('apache')

    const quiet = mendApache(broken, linesOf(remedyOf(before, 'stapled-error', 'apache'), places))
    await apache.restart(quiet)
    const between = await stage.look(port)
    expect(codesOf(between)).not.toContain('stapled-error')
    expect(codesOf(between)).toEqual(expect.arrayContaining(['no-staple', 'ca-unreachable']))

    await apache.restart(mendApache(quiet, linesOf(remedyOf(between, 'ca-unreachable', 'apache'), places)))
    expect(troublesOf(await stage.look(port))).toEqual(['ca-unreachable'])
  })
})

function trusting(leaf: Leaf): string {
  return `ssl_stapling on;
  ssl_stapling_verify on;
  ssl_trusted_certificate ${leaf.caFile};`
}

/** A leaf, a port, and where the paths of the remedies are in this test. */
async function site(responderURL = stage.responder.url): Promise<{ leaf: Leaf; port: number; places: Places }> {
  const leaf = await stage.issue({ responderURL })
  const directory = temporaryDirectory('site')
  const places: Places = {
    '/etc/ssl/localhost/fullchain.pem': leaf.certificateFile,
    '/etc/ssl/localhost/chain.pem': leaf.caFile,
    '/var/lib/staples/localhost.der': join(directory, 'localhost.der'),
    '/var/run/ssl_stapling': join(directory, 'ssl_stapling'),
    'http://127.0.0.1:8889/': stage.responder.url,
    'http://proxy.example.net:3128': stage.responder.url,
  }
  return { leaf, port: await freePort(), places }
}

function nginxSite(leaf: Leaf, port: number, lines: string): string {
  return `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl reuseport;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ssl_protocols TLSv1.2 TLSv1.3;
  ${lines}
}
}`
}

function apacheSite(leaf: Leaf, port: number, lines = ''): string {
  return `<VirtualHost 127.0.0.1:${port}>
SSLEngine on
SSLCertificateFile ${leaf.certificateFile}
SSLCertificateKeyFile ${leaf.keyFile}
${lines}
</VirtualHost>`
}
