/** What the tests of `check` against real servers share: an authority, its responder, who asks the CA, and the look itself. */

import { expect } from 'vitest'
import { type Examination, type ExamineOptions, examine } from '../../src/check/examine.ts'
import type { Target } from '../../src/check/probe/record.ts'
import { createStatusAsker } from '../../src/check/revocation/index.ts'
import { systemClock } from '../../src/keep/clock.ts'
import { createFetcher } from '../../src/keep/fetch/index.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'

export interface CheckStage {
  readonly authority: Authority
  readonly responder: ScriptedResponder
  /** A leaf that names the responder. */
  issue(options?: LeafOptions): Promise<Leaf>
  /** Examines what listens on that port of 127.0.0.1 as `localhost`, with the authority's root trusted and the CA asked. */
  look(port: number, changes?: LookOptions): Promise<Examination>
}

export type LookOptions = Partial<ExamineOptions> & Partial<Pick<Target, 'host' | 'serverName' | 'starttls'>>

/** Sets one up; it ends with the test or its file. Its answers count for a week, so that none is near its end. */
export async function setCheckStage(): Promise<CheckStage> {
  const authority = await createAuthority()
  const responder = await createScriptedResponder({ authority, validityMs: 7 * 86_400_000 })
  const fetcher = createFetcher({ clock: systemClock, proxy: 'none' })
  const asker = createStatusAsker({ clock: systemClock, fetcher, unavailableMs: 0 })
  endsWithTest(async () => {
    await asker.close()
    await fetcher.close()
  })
  return {
    authority,
    responder,
    issue: (options) => authority.issueLeaf({ responderURL: responder.url, ...options }),
    look(port, { host = '127.0.0.1', serverName = 'localhost', starttls, ...options } = {}) {
      return examine(
        { label: `${serverName}:${port}`, host, port, serverName, ...(starttls && { starttls }) },
        { clock: systemClock, ca: [authority.root.pem], asker, ...options },
      )
    },
  }
}

/** The codes of what was found, the worst first, each once. */
export function codesOf({ findings }: Examination): readonly string[] {
  return [...new Set(findings.map(({ code }) => code))]
}

/** The codes of what is wrong: neither fine nor just worth knowing. */
export function troublesOf({ findings }: Examination): readonly string[] {
  return [
    ...new Set(findings.filter(({ severity }) => severity !== 'ok' && severity !== 'info').map(({ code }) => code)),
  ]
}

/** Expects that nothing is wrong, and that it is said. */
export function expectHealthy(examination: Examination): void {
  expect({ severity: examination.severity, troubles: troublesOf(examination) }).toEqual({
    severity: 'ok',
    troubles: [],
  })
  expect(codesOf(examination)).toContain('healthy')
}
