/** Who reads the output may end first: the front serves on, the demo has nobody to show anything to. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { programFile } from '../kit/daemon.ts'
import { startProgram } from '../kit/program.ts'
import { look, setStage } from './stage.ts'

test('serve goes on when nobody reads its log any more', async () => {
  const { issue, responder, start } = await setStage()
  const leaf = await issue()
  const daemon = await start(leaf)
  const port = await daemon.opened()
  daemon.program.child.stderr?.destroy()
  const asked = responder.count
  daemon.refresh()
  await responder.waitForRequests(asked + 1)
  expect(await look(port, leaf)).toBe('good')
  expect(await daemon.stop()).toBe(0)
})

test('the demo ends when nobody reads it any more', async () => {
  const demo = startProgram(process.execPath, [programFile, 'demo'], { name: 'staplewright demo' })
  const [, directory = ''] = await demo.waitFor(/from (\S+)\/staplewright\.conf/)
  demo.child.stdout?.destroy()
  expect(await demo.ended, demo.output()).toMatchObject({ code: 0 })
  expect(existsSync(directory)).toBe(false)
})
