/** What each path answers: the HTTP port only tells, the socket is also obeyed. */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../keep/clock.ts'
import { type Answer, json, plain, type Respond } from './server.ts'
import { causesOf, isReady, shapeStaples, shapeStatus } from './shape.ts'
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

/** The answers of the HTTP port. */
export function createHttpAnswers(options: AnswerOptions): Respond {
  return createAnswers(tellingRoutes(options))
}

/** The answers of the socket. */
export function createSocketAnswers(options: AnswerOptions): Respond {
  const { subject } = options
  return createAnswers({
    ...tellingRoutes(options),
    '/reload': { POST: async () => json(200, await subject.reload()) },
    '/refresh': {
      POST: async (_, query) => {
        const which = query.get('certificate')
        const outcome = which === null ? await subject.refresh() : await subject.refresh(which)
        return json(which !== null && outcome.asked.length === 0 ? 404 : 200, outcome)
      },
    },
  })
}

function tellingRoutes({ subject, clock, metrics }: AnswerOptions): Routes {
  // However many ask at once, the daemon is asked once.
  const status = shared(() => soon(subject.status(), clock))
  const scraped = shared(async () => await metrics.scrape(await status()))
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
    '/metrics': telling(async () => ({ status: 200, ...(await scraped()) })),
    '/api/status': telling(async () => json(200, shapeStatus(await status(), clock.now()))),
    '/api/staples': telling(async () => json(200, shapeStaples(await status(), clock.now()))),
  }
}

function telling(route: Route): Readonly<Record<string, Route>> {
  return { GET: route, HEAD: route }
}

function createAnswers(routes: Routes): Respond {
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

/** Who asks while an answer is on its way gets the same one. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined
    })
    return underWay
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
