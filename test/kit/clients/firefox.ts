/**
 * Debian's Firefox ESR, headless: enforces Must-Staple as a person's browser does.
 *
 * One browser makes many visits, each told by its remote control: the page's address, its text, and a picture of what it
 * drew. It remembers the staples it saw, so each visit wants a certificate of its own. It trusts the test's root alone; whatever goes anywhere but this machine is sent to a proxy that is not there.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { type Program, runProgram, startProgram } from '../program.ts'
import { temporaryDirectory } from '../temporary.ts'
import { connectMarionette, type Marionette, MarionetteError } from './marionette.ts'
import type { ClientOutcome, ClientTarget } from './outcome.ts'
import { decodePng } from './png.ts'

export interface FirefoxOutcome extends ClientOutcome {
  /** The colour in the middle of what it drew, as `#rrggbb`. */
  readonly colour: string
  /** The text of the page, or of Firefox's own page about why there is none. */
  readonly text: string
}

export interface Firefox {
  /** Opens `https://NAME:PORT/`, which takes until the page, or Firefox's own in its place, is drawn. */
  visit(target: Omit<ClientTarget, 'rootFile'>): Promise<FirefoxOutcome>
  end(): Promise<void>
}

/** Starts a browser that trusts `rootFile`; it ends with the test. */
export async function startFirefox(rootFile: string): Promise<Firefox> {
  const profile = temporaryDirectory('firefox')
  const port = await freePort()
  await writeFile(join(profile, 'user.js'), formatPreferences({ ...quiet, 'marionette.port': port }))
  await certutil(['-N', '-d', `sql:${profile}`, '--empty-password'])
  await certutil(['-A', '-d', `sql:${profile}`, '-n', 'root', '-t', 'C,,', '-i', rootFile])
  const program = startProgram('firefox-esr', ['--headless', '--no-remote', '--marionette', '--profile', profile], {
    env: { HOME: profile, MOZ_HEADLESS_WIDTH: '300', MOZ_HEADLESS_HEIGHT: '300' },
  })
  await program.waitForPort(port, '127.0.0.1', 60_000)
  const marionette = await connectMarionette(port)
  await marionette.send('WebDriver:NewSession', { capabilities: { alwaysMatch: { acceptInsecureCerts: false } } })
  await marionette.send('WebDriver:SetTimeouts', { pageLoad: 20_000 })
  return {
    visit: (target) => visit(marionette, program, `https://${target.name ?? 'localhost'}:${target.port}/`),
    async end() {
      marionette.close()
      await program.end()
    },
  }
}

async function visit(marionette: Marionette, program: Program, url: string): Promise<FirefoxOutcome> {
  let refusedBecause: string | undefined
  try {
    await marionette.send('WebDriver:Navigate', { url })
  } catch (error) {
    if (!(error instanceof MarionetteError)) throw error
    refusedBecause = error.message
  }
  const ask = async (command: string, parameters?: Record<string, unknown>): Promise<string> =>
    ((await marionette.send(command, parameters)) as { value: string }).value
  const script = (text: string) => ask('WebDriver:ExecuteScript', { script: `return ${text}`, args: [] })
  const text = await script('document.body.innerText')
  const address = await script('document.documentURI')
  const picture = decodePng(Buffer.from(await ask('WebDriver:TakeScreenshot', { full: false }), 'base64'))
  const connected = refusedBecause === undefined && address === url
  const cause = connected ? '' : (await script(errorName)) || /[?&]e=([^&]+)/.exec(address)?.[1] || refusedBecause
  return {
    connected,
    ...(connected ? {} : { refusedBecause: cause || address }),
    colour: picture.colourAt(picture.width >> 1, picture.height >> 1),
    text,
    output: [address, text, program.output()].join('\n'),
  }
}

/** Only Firefox's own pages can ask for it: `MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING` and the like. */
const errorName = `(document.getNetErrorInfo ?? document.getFailedCertSecurityInfo)?.call(document)?.errorCodeString ?? ''`

async function certutil(args: readonly string[]): Promise<void> {
  const { code, output } = await runProgram('certutil', args)
  if (code !== 0) throw new Error(`certutil ${args.join(' ')}: exit ${code}\n${output}`)
}

function formatPreferences(preferences: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  )
  return `${lines.join('\n')}\n`
}

/** What a browser does by itself, off; what is forgotten here goes to the proxy, where nobody is. */
const quiet = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.provider.google4.updateURL': '',
  'browser.safebrowsing.provider.mozilla.updateURL': '',
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage': 'about:blank',
  'browser.startup.page': 0,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.http.speculative-parallel-limit': 0,
  'network.prefetch-next': false,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 1,
  'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 1,
  'network.proxy.type': 1,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
  'toolkit.telemetry.unified': false,
}
