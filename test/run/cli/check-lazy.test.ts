/** What a command does not need is not loaded: the help costs nothing, and a plain check neither metrics nor page nor configuration. */
import { expect, test, vi } from 'vitest'
import { runCommand } from '../../kit/io.ts'

const loaded = vi.hoisted(() => new Set<string>())
vi.mock('prom-client', note('prom-client'))
vi.mock('../../../src/run/cli/check.ts', note('check'))
vi.mock('../../../src/run/report/page/page.ts', note('page'))
vi.mock('../../../src/run/config/load.ts', note('configuration'))

function note(name: string) {
  return async (original: () => Promise<object>) => {
    loaded.add(name)
    return await original()
  }
}

test('each part is loaded by the first word that needs it', async () => {
  await runCommand(['check', '--help'])
  expect([...loaded]).toEqual([])
  await runCommand(['check', 'no-such-host.invalid', '--no-phone-home'])
  expect([...loaded]).toEqual(['check'])
  await runCommand(['check', 'no-such-host.invalid', '--no-phone-home', '--prometheus'])
  expect([...loaded]).toEqual(['check', 'prom-client'])
  await runCommand(['check', '-c', '/nonexistent'])
  expect([...loaded]).toEqual(['check', 'prom-client', 'configuration'])
  await runCommand(['check', 'no-such-host.invalid', '--no-phone-home', '--html', '/nonexistent/page.html'])
  expect([...loaded]).toEqual(['check', 'prom-client', 'configuration', 'page'])
})
