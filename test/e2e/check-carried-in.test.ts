/**
 * A machine without a way out: `check` tells how a staple is carried in, and when it is done as told, the front takes it
 * without a restart and the finding is gone.
 */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startBackend } from '../kit/backend.ts'
import { formatConfig, startDaemon } from '../kit/daemon.ts'
import { runFetch } from '../kit/mend.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage, troublesOf } from './check-stage.ts'

it('a staple fetched elsewhere and dropped into store_dir ends the finding', async () => {
  const stage = await setCheckStage()
  const leaf = await stage.issue()
  const [storeDir, elsewhere] = [temporaryDirectory('store'), temporaryDirectory('elsewhere')]
  // The one place that it asks is not to be reached.
  const ocsp = '{ mode: always, url: "http://127.0.0.1:1" }'
  const front = await startDaemon(
    formatConfig({ backend: (await startBackend()).url, leaf, ocsp, storeDir, lines: ['start_timeout: "100ms"'] }),
  )
  const port = await front.opened()
  const before = await stage.look(port)
  expect(codesOf(before)).toContain('no-staple')

  const { remedies = [], certificateKey = '' } = before.findings.find(({ code }) => code === 'no-staple') ?? {}
  const carryIn = remedies.find(({ lines = [] }) => lines.some((line) => line.startsWith('scp ')))
  if (carryIn === undefined) throw new Error(`no way in among ${JSON.stringify(remedies)}`)
  expect(carryIn.text).toMatch(/store_dir\/ocsp/)
  await runFetch(carryIn, {
    '/etc/ssl/localhost/fullchain.pem': leaf.certificateFile,
    [` ${certificateKey}`]: ` ${join(elsewhere, certificateKey)}`,
  })
  const [, file = '', to = ''] =
    /^scp (\S+) localhost:\/var\/lib\/staplewright(\/ocsp\/\S+)$/m.exec(carryIn.lines?.[1] ?? '') ?? []
  await copyFile(join(elsewhere, file), join(storeDir, to))

  await expect.poll(async () => troublesOf(await stage.look(port)), { timeout: 15_000 }).toEqual([])
  expectHealthy(await stage.look(port))
  expect(front.program.hasEnded).toBe(false)
})
