/** A clock that is wrong: ours, the server's or the responder's. All three sign or judge times. */
import { formatSpan } from '../../../pki/der/time.ts'
import type { Evidence } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { responderSkewMs } from '../live.ts'
import { refusalCodes, refusalsOf } from '../staples.ts'

const toleranceMs = 300_000

export const clockWrong: FindingRule = {
  codes: {
    'clock-wrong':
      "the server's or the responder's HTTP Date, or a staple from the future, do not fit this machine's clock",
  },
  find: (evidence) => {
    const server = evidence.record.http?.dateSkewMs
    const responder = evidence.certificates.map(responderSkewMs).find((skewMs) => skewMs !== undefined)
    const future = futureLines(evidence)
    const isOff = (skewMs: number | undefined) => skewMs !== undefined && Math.abs(skewMs) > toleranceMs
    if (!isOff(server) && !isOff(responder) && future.length === 0) return []
    const who = suspect(server, responder)
    return [
      {
        code: 'clock-wrong',
        severity: 'warning',
        title: `a clock is wrong, probably ${who}`,
        meaning:
          'A staple counts between two moments. Where the clock is wrong, good ones are refused and stale ones taken; if it is this machine, so is every verdict on time above.',
        evidence: [
          ...skewLine("the server's HTTP Date", server),
          ...skewLine("the responder's HTTP Date", responder),
          ...future,
        ],
        remedies: [
          {
            text: 'Let NTP set the clock, on this machine and on the server.',
            kind: 'commands',
            lines: ['timedatectl set-ntp true'],
          },
        ],
      },
    ]
  },
}

/** Two that agree with each other and not with us leave one. */
function suspect(server: number | undefined, responder: number | undefined): string {
  const isOff = (skewMs: number | undefined) => skewMs !== undefined && Math.abs(skewMs) > toleranceMs
  if (isOff(server) && isOff(responder)) {
    return Math.abs((server ?? 0) - (responder ?? 0)) < toleranceMs
      ? "this machine's"
      : "the server's and the responder's"
  }
  if (isOff(server)) return responder === undefined ? "the server's or this machine's" : "the server's"
  if (isOff(responder)) return server === undefined ? "the responder's or this machine's" : "the responder's"
  return server === undefined ? "the responder's or this machine's" : "the responder's"
}

/** Another moment than now was asked for: then the future says nothing of clocks. */
function futureLines({ at, record, certificates }: Evidence): string[] {
  if (at.getTime() !== record.at.getTime()) return []
  return certificates.flatMap(({ staples }) =>
    staples.flatMap((staple) =>
      refusalCodes(staple).has('ERR_OCSP_NOT_YET_VALID')
        ? refusalsOf(staple).flatMap(({ error }) =>
            error.code === 'ERR_OCSP_NOT_YET_VALID' ? [`staple: ${error.message}`] : [],
          )
        : [],
    ),
  )
}

function skewLine(whose: string, skewMs: number | undefined): string[] {
  if (skewMs === undefined) return []
  const size = formatSpan(Math.abs(skewMs))
  if (Math.abs(skewMs) <= toleranceMs) return [`${whose} agrees with this machine's clock`]
  return [`${whose} is ${size} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's clock`]
}
