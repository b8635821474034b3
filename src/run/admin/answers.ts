/** What each path answers: the HTTP port only tells, the socket is also obeyed. */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../keep/clock.ts'
import { type Answer, json, jsonText, plain, type Respond } from './server.ts'
import { causesOf, formatStaples, formatStatus, isReady } from './shape.ts'
import type { AdminSubject, DaemonStatus } from './subject.ts'

export interface AnswerOptions {
  readonly subject: AdminSubject
  readonly clock: Clock
  readonly metrics: MetricsSource
}

/** What the doors need of metrics. */
export interface MetricsSource {
  scrape(status: DaemonStatus): Promise<{ readonly contentType: string; readonly text: string }>
}

type Route = (request: IncomingMessage, query: URLSearchParams) => Promise<Answer>
type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>

/** Creates the answers of both doors. */
export function createAnswers(options: AnswerOptions): { readonly http: Respond; readonly socket: Respond } {
  const { subject } = options
  const sparing = createSparing(options.clock)
  const telling = tellingRoutes(options, sparing)
  const obeying: Routes = {
    '/reload': { POST: async () => json(200, await subject.reload()) },
    '/refresh': {
      POST: async (_, query) => {
        const which = query.get('certificate')
        const outcome = which === null ? await subject.refresh() : await subject.refresh(which)
        return json(which !== null && outcome.asked.length === 0 ? 404 : 200, outcome)
      },
    },
  }
  const respond = answering({ ...telling, ...obeying })
  return {
    http: answering(telling),
    // Who was obeyed must not be told next how it was before.
    socket: (request) => (request.method === 'POST' ? respond(request).finally(sparing.forget) : respond(request)),
  }
}

function tellingRoutes({ subject, clock, metrics }: AnswerOptions, { spare }: Sparing): Routes {
  const status = spare(() => soon(subject.status(), clock))
  const scraped = spare(async () => ({ status: 200, ...(await metrics.scrape(await status())) }))
  const statusJson = spare(async () => jsonText(await formatStatus(await status(), clock.now())))
  const staplesJson = spare(async () => jsonText(await formatStaples(await status(), clock.now())))
  return {
    '/healthz': telling(async () => plain(200, 'ok')),
    '/readyz': telling(async ({ headers }) => {
      const now = await status()
      const code = isReady(now) ? 200 : 503
      const causes = causesOf(now)
      if (headers.accept?.includes('application/json')) {
        return json(code, { isReady: isReady(now), phase: now.phase, causes })
      }
      return plain(code, isReady(now) ? 'ready' : ['not ready', ...causes].join('\n'))
    }),
    '/metrics': telling(scraped),
    '/api/status': telling(statusJson),
    '/api/staples': telling(staplesJson),
  }
}

function telling(route: Route): Readonly<Record<string, Route>> {
  return { GET: route, HEAD: route }
}

function answering(routes: Routes): Respond {
  return async (request) => {
    const target = request.url ?? '/'
    const end = target.indexOf('?')
    const path = end < 0 ? target : target.slice(0, end)
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined
    if (methods === undefined) return plain(404, `there is no such page; there are ${Object.keys(routes).join(', ')}`)
    const route = Object.hasOwn(methods, request.method ?? '') ? methods[request.method ?? ''] : undefined
    const allow = Object.keys(methods).join(', ')
    if (route === undefined) return plain(405, `${path} takes only ${allow}`, { allow })
    return await route(request, new URLSearchParams(end < 0 ? '' : target.slice(end + 1)))
  }
}

interface Sparing {
  /** Makes `ask` one that answers several with what was made for one. */
  spare<T>(ask: () => Promise<T>): () => Promise<T>
  /** What was made before now is not given again. */
  forget(): void
}

/**
 * However many ask, and however often, a tenth of the time goes into answers at most: who asks while one is made gets the
 * same, and one that took long (of a hundred thousand certificates) is given again for a while.
 */
function createSparing(clock: Clock): Sparing {
  let since = Number.NEGATIVE_INFINITY
  return {
    forget() {
      since = clock.monotonicMs()
    },
    spare<T>(ask: () => Promise<T>) {
      let underWay: Promise<T> | undefined
      let last: { readonly answer: T; readonly began: number; readonly until: number } | undefined

      async function make(): Promise<T> {
        const began = clock.monotonicMs()
        try {
          const answer = await ask()
          const ended = clock.monotonicMs()
          last = { answer, began, until: ended + Math.min(9 * (ended - began), longestMs) }
          return answer
        } finally {
          underWay = undefined
        }
      }

      return () => {
        if (last !== undefined && last.began > since && clock.monotonicMs() < last.until) {
          return Promise.resolve(last.answer)
        }
        underWay ??= make()
        return underWay
      }
    },
  }
}

/** A daemon that does not know itself in time has something wrong with it, and that is the answer. */
function soon<T>(asked: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new Error(`the daemon did not tell its status within ${longestMs / 1_000} s`)
    const cancel = clock.wake(longestMs, () => reject(late))
    asked.then(resolve, reject).finally(cancel)
  })
}

const longestMs = 5_000
